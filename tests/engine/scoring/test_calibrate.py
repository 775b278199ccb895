import numpy as np
import pytest

from facet.engine.scoring.calibrate import UNKNOWN, Calibration, share

STRANGERS = (0.0, 0.1, 0.2, 0.1, 0.05)
OWN = (0.8, 0.9, 0.7, 0.85, 0.8)


def test_strangers_score_0_and_the_characters_own_pictures_1():
    calibration = Calibration(STRANGERS, OWN)
    assert calibration.identity(STRANGERS).value == pytest.approx(0)
    assert calibration.identity(OWN).value == pytest.approx(1)
    assert calibration.score(0.45) == pytest.approx(0.5)


def test_the_scale_does_not_depend_on_the_encoders_own():
    squeezed = Calibration(
        tuple(0.6 + 0.3 * x for x in STRANGERS), tuple(0.6 + 0.3 * x for x in OWN)
    )
    assert squeezed.score(0.6 + 0.3 * 0.5) == pytest.approx(Calibration(STRANGERS, OWN).score(0.5))


def test_the_interval_holds_the_value_shrinks_with_more_pictures_and_is_repeatable():
    rng = np.random.default_rng(1)

    def width(count: int) -> float:
        null, own, sample = (tuple(rng.normal(middle, 0.1, count)) for middle in (0.1, 0.8, 0.6))
        interval = Calibration(null, own).identity(sample)
        assert interval == Calibration(null, own).identity(sample)
        assert interval.low <= interval.value <= interval.high
        return interval.high - interval.low

    assert width(200) < width(8) / 2


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(120):
        null, own, sample = (tuple(rng.normal(m, 0.1, 12)) for m in (0.1, 0.8, 0.6))
        interval = Calibration(null, own).identity(sample)
        hits += interval.low <= 0.5 / 0.7 <= interval.high
    assert hits / 120 > 0.85


@pytest.mark.parametrize(
    ("null", "own", "reason"),
    [
        (STRANGERS, (), "no accepted shot"),
        (STRANGERS, (0.11, 0.12, 0.1), "cannot tell this character from others"),
        ((0.0, 0.9, 0.8, 0.1), (0.5, 0.6, 0.55), "cannot tell"),
        (OWN, STRANGERS, "use another CLIP_VISION"),
    ],
)
def test_what_cannot_be_calibrated_is_said_and_not_scored(null, own, reason):
    calibration = Calibration(null, own)
    assert reason in calibration.problem
    assert calibration.identity((0.5, 0.6)) == UNKNOWN
    assert calibration.score(0.5) is None


def test_shots_that_were_all_rejected_are_the_reason():
    problem = Calibration(STRANGERS, (), rejected=16).problem
    assert "None of the 16 shots was accepted" in problem


def test_a_likeness_far_from_the_original_is_no_scale():
    """Strangers at 0.1 and own pictures at 0.2 differ, but neither looks like the original."""
    assert "cannot tell" in Calibration((0.1, 0.1, 0.11), (0.2, 0.21, 0.2)).problem
    assert not Calibration((0.8, 0.8, 0.81), (0.9, 0.91, 0.9)).problem


def test_a_share_of_few_has_a_wide_interval():
    few, many = share([True] * 3 + [False]), share([True] * 75 + [False] * 25)
    assert few.value == many.value == 0.75
    assert few.low < 0.35 and many.low > 0.65
    assert share([]) == UNKNOWN


def test_models_that_cannot_hold_the_original_say_so() -> None:
    blind = Calibration(STRANGERS, OWN, reproduction=20.5)
    assert "cannot draw images like the original" in blind.problem
    assert blind.score(0.9) is None
    assert Calibration(STRANGERS, OWN, reproduction=28.0).problem == ""
