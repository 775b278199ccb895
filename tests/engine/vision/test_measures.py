import pytest

from facet.engine.demo.models import load_face
from facet.engine.vision.measures import PHOTOGRAPHED, FaceMeasures, measured_by, measures_of

LABELLED = ((20, 18), (27, 36), (33, 38), (37, 45), (59, 71), (72, 88))
"""Yaws read and true, in degrees, of photographs with labelled poses."""
SCANNED = ((10, 10), (20, 20), (30, 30), (39, 40), (47, 50), (54, 60), (77, 80))
"""The same of a scanned head that was turned in steps, at the median over four lights."""


@pytest.mark.parametrize(("read", "true"), LABELLED + SCANNED)
def test_a_straightened_yaw_is_the_true_one(read, true):
    assert PHOTOGRAPHED.true_yaw(read) == pytest.approx(true, abs=12)
    assert PHOTOGRAPHED.true_yaw(-read) == -PHOTOGRAPHED.true_yaw(read)


def test_whoever_is_turned_farther_has_a_larger_yaw_up_to_a_profile():
    yaws = [PHOTOGRAPHED.true_yaw(read) for read in range(100)]
    assert yaws == sorted(yaws) and yaws[0] == 0 and yaws[-1] == 90
    assert all(after - before < 3 for before, after in zip(yaws, yaws[1:], strict=False))


def test_a_model_without_a_record_is_cores_and_the_demos_has_its_own():
    assert measures_of(object()) is PHOTOGRAPHED
    demo = measures_of(load_face())
    assert demo.true_yaw(50.0) == 50.0 and demo.level == 0


def test_readings_are_kept_by_the_model_and_by_how_they_are_taken():
    class Model:
        measures = FaceMeasures()

    model = Model()
    names = [measured_by(None), measured_by(model)]
    model.measures = FaceMeasures(version="later")
    assert len({*names, measured_by(model)}) == 3 and names[0] == ""
