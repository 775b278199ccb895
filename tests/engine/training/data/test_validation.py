"""Pictures that are held out stay out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from facet.engine.core.character import Shot
from facet.engine.training.data.validation import held_out


def test_the_same_pictures_are_held_out_in_any_order(picture: Callable[..., Shot]) -> None:
    shots = [picture(number) for number in range(6)]
    training, unseen = held_out(shots, 2, seed=1)
    again, same = held_out(shots[::-1], 2, seed=1)
    assert [shot.hash for shot in unseen] == [shot.hash for shot in same]
    assert {shot.hash for shot in training} == {shot.hash for shot in again}
    assert len(training) == 4 and not {s.hash for s in training} & {s.hash for s in unseen}


def test_a_picture_that_is_there_twice_is_not_trained_on_either(
    picture: Callable[..., Shot],
) -> None:
    shots = [picture(number) for number in (0, 1, 2, 0, 1, 2)]
    training, unseen = held_out(shots, 1, seed=0)
    assert len(unseen) == 1
    assert unseen[0].hash not in {shot.hash for shot in training}
    assert len(training) == 4


def test_another_seed_holds_out_others(picture: Callable[..., Shot]) -> None:
    shots = [picture(number) for number in range(8)]
    chosen = {held_out(shots, 1, seed)[1][0].hash for seed in range(10)}
    assert len(chosen) > 2


def test_something_has_to_be_left_to_train_on(picture: Callable[..., Shot]) -> None:
    with pytest.raises(ValueError, match="validation_shots is 3 and there are 3 pictures"):
        held_out([picture(number) for number in range(3)], 3, seed=0)


def test_nothing_is_held_out_unless_asked(picture: Callable[..., Shot]) -> None:
    shots = [picture(0), picture(1)]
    assert held_out(shots, 0, seed=0) == (shots, [])
