import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import torch

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
    assert "Likeness cannot be judged." in page and "cannot be read as likeness" in page
    assert "<h2>What was tried" not in page and "anybody" not in page


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
    assert "Likeness with the original" in proxy and "Identity with" not in proxy
    assert "does not recognise a face" in proxy
    face = page("face recognition by IResNet-50, aligned face")
    assert "Identity with the original" in face and "does not recognise a face" not in face


def test_lora_off_stands_first_wherever_pictures_are_compared(make_full, character):
    page = report_page(character, make_full())
    _, _, sheet = page.partition("<h2>Fixed seeds</h2>")
    head, _, body = sheet.partition("<tbody>")
    assert re.findall(r"<th [^>]*>(.*?)</th>", head)[0] == "LoRA off"
    rows = body.partition("</table>")[0].split("<tr>")[1:]
    assert rows and all("chip off" in row[: row.index("</td>")] for row in rows)
    for pair in re.findall(r'<figure class="pair">(.*?)</figure>', page):
        chips = re.findall(r'class="chip (\w+)"', pair)
        assert chips in (["off", "on"], ["own", "own"])
    strips = re.findall(r'<figure class="strip"><figcaption>(.*?)</figcaption>', page)
    assert strips == ["LoRA off", "step 200 \N{MULTIPLICATION SIGN} 1"]


def test_every_kind_of_picture_has_its_own_place(make_full, character):
    page = report_page(character, make_full())
    sections = dict(re.findall(r"<h2>([^<]*)</h2>(.*?)</section>", page, re.DOTALL))
    assert sections["By its trigger alone"].count("<img") == 6
    assert sections["With something new on"].count("<img") == 2
    leaks = sections["Clothes that nobody asked for"]
    assert leaks.count("<img") == 4 and leaks.count("It wears the dataset") == 1
    assert sections["The worst five"].count("<img") == 5
    assert sections["Nearest training pictures"].count("<img") == 8
