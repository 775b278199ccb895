import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch
from PIL import Image

from facet.engine.scoring.report.page import report_page


class Balanced(HTMLParser):
    """Raises when a tag is closed that is not open."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"copied": 2},
        {"faces": False, "notes": ["The face model finds no face in the original picture."]},
        {"on": 0.5, "off": 0.5, "own": 0.5},
        {"count": 1},
    ],
)
def test_a_page_of_any_outcome_is_whole(make_evaluation, make_full, character, kind):
    for make in (make_evaluation, make_full):
        page = report_page(character, make(**kind))
        checked = Balanced()
        checked.feed(page)
        assert checked.open == []
        for note in kind.get("notes", ()):
            assert note in page


def test_the_page_needs_no_network_and_no_script(make_full, character):
    page = report_page(character, make_full())
    assert (
        "http:" not in page
        and "https:" not in page
        and "<script" not in page
        and "@import" not in page
    )
    assert "url(" not in page and "default-src 'none'" in page
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert sources and all(source.startswith("data:image/jpeg;base64,") for source in sources)
    links = re.findall(r'href="([^"]*)"', page)
    assert links == ["score.json", "score.csv", "report.png"]


def test_what_others_wrote_is_only_text(make_full, character):
    page = report_page(character, make_full(notes=["<script>alert(1)</script>"]))
    assert "Ada &lt;b&gt;" in page and "Ada <b>" not in page
    assert "teal hoodie &lt;and&gt; shorts" in page and "<script" not in page


def test_a_report_without_a_scale_shows_no_scale(make_evaluation, character):
    page = report_page(character, make_evaluation(on=0.5, off=0.5, own=0.5))
    assert "Similarity cannot be judged." in page and "cannot be read as similarity" in page
    assert "<h2>What was tried" not in page and "0 · a stranger" not in page


def test_sixty_large_pictures_stay_small(make_full, character):
    grain = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0))
    noisy = grain.repeat_interleave(4, 0).repeat_interleave(4, 1).repeat(4, 4, 1)
    evaluation = make_full(steps=(1, 2, 3), strengths=(1.0,), count=12, image=noisy)
    assert sum(len(made) for made in evaluation.pictures.values()) >= 60
    assert len(report_page(character, evaluation)) < 6_000_000


def test_the_encoder_is_named_and_an_appearance_is_no_identity(make_full, character):
    evaluation = make_full()

    def page(measured_by: str) -> str:
        settings = {**evaluation.card.settings, "measured_by": measured_by}
        return report_page(
            character, replace(evaluation, card=replace(evaluation.card, settings=settings))
        )

    proxy = page("appearance by SomeVision, whole picture")
    assert "appearance by SomeVision, whole picture" in proxy
    assert "Similarity with the original" in proxy and "Identity with" not in proxy
    assert "does not recognise a face" in proxy
    face = page("face recognition by IResNet-50, aligned face")
    assert "Identity with the original" in face and "does not recognise a face" not in face


def test_the_baseline_stands_first_wherever_images_are_compared(make_full, character):
    page = report_page(character, make_full())
    _, _, sheet = page.partition("<h2>Fixed seeds</h2>")
    head, _, body = sheet.partition("<tbody>")
    assert re.findall(r"<th [^>]*>(.*?)</th>", head)[0] == "without LoRA"
    rows = body.partition("</table>")[0].split("<tr>")[1:]
    assert rows and all("chip off" in row[: row.index("</td>")] for row in rows)
    for pair in re.findall(r'<figure class="pair">(.*?)</figure>', page, re.DOTALL):
        chips = re.findall(r'class="chip (\w+)"', pair)
        assert chips in (["off", "on"], ["own", "own"])
    strips = re.findall(r'<figure class="strip"><figcaption>(.*?)</figcaption>', page)
    assert strips == ["without LoRA", "step 200 \N{MULTIPLICATION SIGN} 1"]


def test_every_kind_of_picture_has_its_own_place(make_full, character):
    page = report_page(character, make_full())
    sections = dict(re.findall(r"<h2>([^<]*)</h2>(.*?)</section>", page, re.DOTALL))
    assert sections["Prompted with the trigger only"].count("<img") == 6
    assert sections["Wearing something new"].count("<img") == 2
    leaks = sections["Clothes not in the prompt"]
    assert leaks.count("<img") == 4 and leaks.count("It wears the dataset") == 1
    assert sections["The worst five"].count("<img") == 5
    assert sections["Nearest training images"].count("<img") == 8


def test_images_have_their_size_and_are_there_when_it_is_printed(make_full, character):
    page = report_page(character, make_full())
    images = re.findall(r"<img [^>]*>", page)
    assert images and not any("loading=" in image for image in images)
    for image in images:
        width, height = (
            int(re.search(rf' {side}="(\d+)"', image)[1]) for side in ("width", "height")
        )
        source = re.search(r'src="data:image/jpeg;base64,([^"]*)"', image)[1]
        with Image.open(io.BytesIO(base64.b64decode(source))) as opened:
            assert opened.size == (width, height)


def test_a_template_escapes_whatever_it_is_given(make_full, character):
    evaluation = make_full()
    odd = 'a" onload="x <i>'
    card = replace(
        evaluation.card,
        trigger=odd,
        settings={odd: odd, "measured_by": odd},
        shots=dict.fromkeys((shot.hash for shot in character.shots), odd),
    )
    page = report_page(character, replace(evaluation, card=card))
    assert odd not in page and "<i>" not in re.sub(r"<i [^>]*>", "", page).replace("<i></i>", "")
