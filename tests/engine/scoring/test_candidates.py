from pathlib import Path

import pytest

from facet.engine.scoring.candidates import candidates_of, parse_strengths, spread
from facet.engine.training.run_record import Checkpoint, TrainingRun


def run(steps) -> TrainingRun:
    points = tuple(Checkpoint(step, Path(f"{step}.safetensors"), 0.1) for step in steps)
    return TrainingRun("Ada", "hash", "zqx", "person", Path("runs"), {}, points)


@pytest.mark.parametrize(
    ("text", "strengths"),
    [("1.0", (1.0,)), ("0.8, 1.0,", (0.8, 1.0)), (" 1;0.5;1 ", (1.0, 0.5)), ("-1", (-1.0,))],
)
def test_strengths_are_read_as_people_write_them(text, strengths):
    assert parse_strengths(text) == strengths


@pytest.mark.parametrize("text", ["", " , ", "0", "strong", "11", "nan", "inf"])
def test_strengths_that_mean_nothing_are_refused(text):
    with pytest.raises(ValueError, match="strength"):
        parse_strengths(text)


@pytest.mark.parametrize(
    ("total", "count", "steps"),
    [(10, 3, [4, 7, 10]), (3, 3, [1, 2, 3]), (2, 5, [1, 2]), (7, 1, [7]), (5, 2, [3, 5])],
)
def test_checkpoints_are_spread_and_end_with_the_last(total, count, steps):
    points = run(range(1, total + 1)).checkpoints
    assert [point.step for point in spread(points, count)] == steps


def test_a_run_is_tried_at_every_strength_and_its_own_lora_is_not_tried_twice():
    found = candidates_of(run([100, 200]), {}, (0.8, 1.0), 3)
    assert [candidate.label for candidate in found] == [
        "step 100 at strength 0.8",
        "step 100 at strength 1",
        "step 200 at strength 0.8",
        "step 200 at strength 1",
    ]


def test_a_lora_alone_is_a_candidate_and_nothing_at_all_is_an_error():
    (only,) = candidates_of(None, {"x": None}, (1.0,), 3)
    assert only.label == "the LoRA at strength 1" and "x" in only.load()
    with pytest.raises(ValueError, match="connect a training run or a LoRA"):
        candidates_of(None, None, (1.0,), 3)
    with pytest.raises(ValueError, match="has no checkpoint"):
        candidates_of(run([]), None, (1.0,), 3)


def test_a_checkpoint_that_is_gone_is_one_sentence(tmp_path):
    gone = TrainingRun(
        "Ada",
        "",
        "zqx",
        "person",
        tmp_path,
        {},
        (Checkpoint(1, tmp_path / "gone.safetensors", 0.1),),
    )
    (candidate,) = candidates_of(gone, None, (1.0,), 1)
    with pytest.raises(ValueError, match="cannot be read"):
        candidate.load()
