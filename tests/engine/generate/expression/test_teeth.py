"""A jaw that would stretch teeth is held, and it is said."""

from __future__ import annotations

import numpy as np
import pytest

from facet.engine.generate.expression.edit import edit
from facet.engine.generate.expression.measured import faces_in
from facet.engine.generate.expression.presets import PRESETS
from facet.engine.generate.expression.teeth import shows_teeth
from facet.real_faces.models import RealFaces
from harness.faces import astronaut, drawn_face

SMILING = ("astronaut", "obama", "obama2", "norris_crop", "queen_crop", "franck_04117")
SHUT_OR_DARK = ("audrey", "bieber", "cage", "connery", "joconde", "franck_01829", "franck_02045")


def gap(landmarks: np.ndarray) -> float:
    """How far the middles of the inner lips are apart, in px."""
    return float(np.linalg.norm(landmarks[14] - landmarks[13]))


def test_teeth_that_show_are_stretched_by_a_third_at_most_and_it_is_said():
    image, face = astronaut()
    done = edit(image, face, PRESETS["surprised"])
    assert 1 < gap(done.landmarks) / gap(face.landmarks) < 4 / 3 + 0.02
    held = done.sliders["jaw_open"]
    assert done.remainder["jaw_open"] == pytest.approx(0.65 - held)
    [note] = [note for note in done.notes if "teeth" in note]
    assert f"jaw_open is held at {held:.2f}; connect a studio" in note


def test_where_a_model_paints_or_the_mouth_closes_nothing_is_held():
    image, face = astronaut()
    painted = edit(image, face, PRESETS["surprised"], paints=True)
    assert painted.sliders["jaw_open"] == 0.65
    closed = edit(image, face, {"jaw_open": -0.2})
    assert closed.sliders["jaw_open"] == -0.2
    for done in (painted, closed):
        assert not any("teeth" in note for note in done.notes)


def test_what_others_open_counts_for_the_jaw():
    image, face = astronaut()
    jaws = [
        edit(image, face, {"jaw_open": 0.5, "lower_drop": drop}).sliders.get("jaw_open", 0.0)
        for drop in (0.0, 0.3, 1.0)
    ]
    assert jaws[0] > jaws[1] > jaws[2] == 0


def test_on_photographs_teeth_are_told_from_lips_and_from_a_dark_mouth(real_faces: RealFaces):
    def shows(name: str) -> bool:
        image = real_faces.photographs[name].image
        return shows_teeth(image, faces_in(real_faces.model, image)[0])

    assert {name for name in (*SMILING, *SHUT_OR_DARK) if shows(name)} == set(SMILING)


@pytest.mark.parametrize(("expression", "teeth"), [("neutral", False), ("smile", True)])
def test_in_drawings_a_laugh_shows_teeth(expression, teeth):
    assert shows_teeth(*drawn_face(3, 256, expression)) == teeth
