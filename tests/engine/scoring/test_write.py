import json

import pytest
from PIL import Image

from facet.engine.scoring.write import write_report

FILES = {"score.json", "score.csv", "report.png", "report.html", "summary.json"}


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
def test_a_report_of_any_outcome_is_whole_files(make_evaluation, character, tmp_path, kind):
    evaluation = make_evaluation(**kind)
    written = write_report(tmp_path, character, evaluation)
    for folder in (tmp_path, written.folder):
        assert {path.name for path in folder.iterdir() if path.is_file()} == FILES
        score = json.loads((folder / "score.json").read_text())
        assert score["verdict"] == evaluation.card.verdict
    with Image.open(tmp_path / "report.png") as opened:
        assert opened.width == 1600
        assert opened.size == (written.image.shape[1], written.image.shape[0])


def test_the_same_evaluation_gives_the_same_files(make_evaluation, character, tmp_path):
    for folder in ("one", "two"):
        write_report(tmp_path / folder, character, make_evaluation())
    for name in FILES:
        one, two = (tmp_path / folder / name for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_an_earlier_report_stays_and_the_latest_lies_on_top(make_evaluation, character, tmp_path):
    first = write_report(tmp_path, character, make_evaluation(on=0.7)).folder
    earlier = {name: (first / name).read_bytes() for name in FILES}
    second = write_report(tmp_path, character, make_evaluation(on=0.4)).folder
    assert first != second and first.parent == second.parent == tmp_path
    assert {name: (first / name).read_bytes() for name in FILES} == earlier
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (second / name).read_bytes()


def test_the_same_score_takes_no_second_place(make_evaluation, character, tmp_path):
    folders = {write_report(tmp_path, character, make_evaluation()).folder for _ in range(2)}
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == list(folders)
