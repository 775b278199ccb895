"""Which checkpoint a run hands on."""

from __future__ import annotations

import pytest

from facet.engine.training.progress.best import choose, plateau
from facet.engine.training.run_record import Measure


def test_likeness_decides_where_it_was_measured() -> None:
    measures = [Measure(10, 0.1, 0.5), Measure(20, 0.2, 0.7), Measure(30, 0.05, 0.6)]
    choice = choose(measures, [10, 20, 30])
    assert choice.step == 20
    assert "0.700, at step 30 0.600" in choice.why


def test_without_likeness_the_validation_loss_decides() -> None:
    measures = [Measure(5, 0.01), Measure(10, 0.3), Measure(20, 0.1), Measure(30, 0.2)]
    # Nothing was saved at step 5.
    assert choose(measures, [10, 20, 30]).step == 20


def test_without_either_it_is_the_last() -> None:
    choice = choose([], [10, 20])
    assert choice.step == 20
    assert "is the last" in choice.why


def test_of_equals_the_earlier_is_better() -> None:
    assert choose([Measure(10, None, 0.5), Measure(20, None, 0.5)], [10, 20]).step == 10


def test_checkpoints_that_were_not_judged_do_not_win() -> None:
    measures = [Measure(10, None, 0.5), Measure(20, None, 0.4)]
    assert choose(measures, [10, 17, 20, 30]).step == 10


@pytest.mark.parametrize(
    ("likeness", "patience", "over"),
    [
        ([0.1, 0.5, 0.4, 0.5], 2, True),
        ([0.1, 0.5, 0.4, 0.6], 2, False),
        ([0.1, 0.5, 0.4], 2, False),
        ([0.5, 0.4, 0.3], 2, True),
        ([0.5, 0.4], 2, False),
        ([0.5, 0.4, 0.3, 0.2], 0, False),
    ],
)
def test_a_plateau_is_so_many_checkpoints_without_a_better_one(
    likeness: list[float], patience: int, over: bool
) -> None:
    measures = [Measure(step, None, value) for step, value in enumerate(likeness)]
    assert plateau(measures, patience) is over


def test_a_plateau_of_the_validation_loss_is_one_that_no_longer_falls() -> None:
    assert plateau([Measure(1, 0.3), Measure(2, 0.2), Measure(3, 0.25), Measure(4, 0.2)], 2)
    assert not plateau([Measure(1, 0.3), Measure(2, 0.2), Measure(3, 0.25), Measure(4, 0.19)], 2)
