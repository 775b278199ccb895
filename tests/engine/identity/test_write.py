import json
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from facet.engine.identity.write import write_report


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
def test_a_report_of_any_outcome_is_four_whole_files(make_evaluation, character, tmp_path, kind):
    evaluation = make_evaluation(**kind)
    picture = write_report(tmp_path, character, evaluation)
    assert {path.name for path in tmp_path.iterdir()} == {
        "score.json",
        "score.csv",
        "report.png",
        "report.html",
    }
    assert json.loads((tmp_path / "score.json").read_text())["verdict"] == evaluation.card.verdict
    with Image.open(tmp_path / "report.png") as opened:
        assert opened.size == (picture.shape[1], picture.shape[0]) and opened.width == 1600
    page = (tmp_path / "report.html").read_text()
    checked = Balanced()
    checked.feed(page)
    assert checked.open == []
    for note in evaluation.card.notes:
        assert note in page


def test_the_page_needs_no_network_and_no_script(make_evaluation, character, tmp_path):
    write_report(tmp_path, character, make_evaluation())
    page = (tmp_path / "report.html").read_text()
    assert "http" not in page and "<script" not in page and "@import" not in page
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert sources and all(source.startswith("data:image/jpeg;base64,") for source in sources)


def test_a_name_with_markup_is_only_text(make_evaluation, character, tmp_path):
    write_report(tmp_path, character, make_evaluation())
    page = (tmp_path / "report.html").read_text()
    assert "Ada &lt;b&gt;" in page and "Ada <b>" not in page


def test_the_same_evaluation_gives_the_same_files(make_evaluation, character, tmp_path):
    for folder in ("one", "two"):
        write_report(tmp_path / folder, character, make_evaluation())
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_report_without_a_scale_shows_no_scale(make_evaluation, character, tmp_path):
    write_report(tmp_path, character, make_evaluation(on=0.5, off=0.5, own=0.5))
    page = (tmp_path / "report.html").read_text()
    assert "Likeness cannot be judged." in page and "cannot be read as likeness" in page
    assert "<h2>Checkpoints" not in page and "anybody" not in page
