"""What a detector reads on a resting face is no expression."""

from __future__ import annotations

import pytest

from facet.engine.demo.models import load_face
from facet.engine.generate.expression.measured import neutralised, sliders_from_blendshapes
from facet.engine.generate.expression.resting import RESTING, above_rest
from harness.faces import astronaut, face_at

SIDED = {"Left", "Right"}


def both(**amounts: float) -> dict[str, float]:
    """Blendshapes of MediaPipe by their names without a side."""
    return {name + side: value for name, value in amounts.items() for side in SIDED}


CORE = object()
"""A face model that says nothing of its blendshapes, as core's."""
AT_REST = both(browDown=0.61, eyeSquint=0.66, eyeBlink=0.11, eyeLookUp=0.3, mouthPress=0.06)
BROAD_SMILE = both(browDown=0.84, eyeSquint=0.72, eyeBlink=0.28, mouthSmile=0.94)
SCOWL = both(browDown=0.95, eyeSquint=0.7, mouthFrown=0.4)
"""As read on photographs, but for the scowl."""


def test_a_resting_face_shows_no_expression():
    shown = sliders_from_blendshapes(above_rest(CORE, AT_REST))
    assert max(map(abs, shown.values())) < 0.05
    face = face_at(astronaut()[1].landmarks, blendshapes=above_rest(CORE, AT_REST))
    assert max(map(abs, neutralised({}, face).values())) < 0.05


def test_a_broad_smile_is_no_scowl_and_a_scowl_is_one():
    smile = sliders_from_blendshapes(above_rest(CORE, BROAD_SMILE))
    assert smile["smile_l"] > 0.9
    assert abs(smile["brow_inner_l"]) < 0.05 and abs(smile["blink_l"]) < 0.05
    scowl = sliders_from_blendshapes(above_rest(CORE, SCOWL))
    assert scowl["brow_inner_r"] < -0.8 and scowl["brow_furrow"] == 0


def test_a_full_expression_stays_a_full_one():
    full = {name + side: 1.0 for name in RESTING for side in (*SIDED, "") if name != "mouthSmile"}
    assert above_rest(CORE, full) == pytest.approx(full)
    assert above_rest(CORE, {"jawOpen": 0.3, "_neutral": 0.1}) == {"jawOpen": 0.3, "_neutral": 0.1}


def test_the_demos_model_has_its_zero_at_rest():
    assert above_rest(load_face(), AT_REST) == AT_REST
