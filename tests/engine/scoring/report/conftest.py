import pytest

from facet.engine.scoring.calibrate import Interval, share
from facet.engine.scoring.report.material import Material
from harness.variants import changed


@pytest.fixture
def figures():
    """Gives a variant other metrics."""

    def given(one, identity, copies, views=1.0):
        return changed(
            one,
            identity=Interval(identity, identity - 0.1, identity + 0.1, 6),
            copies=share([number < 10 * copies for number in range(10)]),
            views=Interval(views, views, views, 6),
        )

    return given


@pytest.fixture
def material(make_full, character) -> Material:
    return Material(character, make_full())
