"""What the expression editor's page asks for: faces, how they would look, and presets to keep."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import folder_paths
import numpy as np
import pytest
import torch
from PIL import Image

from facet.engine.core.character import quantise
from facet.engine.demo.face import DemoFaceModel
from facet.engine.demo.people import demo_picture
from facet.engine.generate.expression.presets import OWN
from facet.engine.generate.expression.subjects import SIDE, described, subject_of
from facet.engine.generate.expression.table import HAND_PLACED
from facet.engine.studio.judge import Judge
from facet.engine.vision.faces import find_face
from facet.nodes.expression.editor import FacetExpressionEditor
from facet.nodes.expression.inputs import known_presets
from facet.nodes.expression.page import FACES, keep_preset, rig_and_presets, shown


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(folder_paths, "user_directory", str(tmp_path))
    yield tmp_path / "facet" / "expressions"


def kept(face_model: DemoFaceModel, number: int, scale: int = 1) -> str:
    """The key of a demo person's face, in a picture ``scale`` times as large."""
    image = demo_picture(number).repeat_interleave(scale, 0).repeat_interleave(scale, 1)
    face = find_face(face_model, image)
    assert face is not None
    return FACES.keep(subject_of(image, face))


def pixels(url: str) -> torch.Tensor:
    data = base64.b64decode(url.split(",", 1)[1])
    return torch.from_numpy(np.array(Image.open(io.BytesIO(data)))).to(torch.float32) / 255


def test_a_face_is_shown_with_its_landmarks_at_no_more_than_512_pixels(demo_models):
    small, large = (
        described(FACES.of(kept(demo_models.face, 3))),
        described(FACES.of(kept(demo_models.face, 3, 8))),
    )
    assert max(small["size"]) < max(large["size"]) == SIDE
    assert len(large["landmarks"]) == 478
    by = large["size"][0] / small["size"][0]
    for index in (33, 263, 1, 61, 152):
        x, y = small["landmarks"][index]
        assert large["landmarks"][index] == pytest.approx([x * by, y * by], abs=0.05 * SIDE)


def test_the_preview_shows_what_the_node_would_make(demo_models):
    image = demo_picture(3)
    output = FacetExpressionEditor.execute(
        image=image[None], judge=Judge(demo_models.face), preset="surprised"
    )
    [key] = output.ui["facet_expression"][0]["pictures"][0]["faces"]
    made = shown({"key": key, "preset": "surprised", "sliders": {"smile_l": 0.1}})
    assert made["landmarks"] != described(FACES.of(key))["landmarks"]
    before = pixels(described(FACES.of(key))["picture"])
    assert float((pixels(made["picture"]) - before).abs().mean()) > 0.005
    rest = shown({"key": key, "preset": OWN, "sliders": {}})
    assert rest["landmarks"] == described(FACES.of(key))["landmarks"]


def test_points_make_a_face_of_a_whole_picture(demo_models):
    image = demo_picture(5)
    face = find_face(demo_models.face, image)
    assert face is not None
    key = FACES.keep(subject_of(image, None))
    assert described(FACES.of(key))["landmarks"] is None
    with pytest.raises(ValueError, match="place the twelve points"):
        shown({"key": key})
    points = (face.landmarks[[one.point for one in HAND_PLACED]] / 128).tolist()
    made = shown({"key": key, "points": json.dumps(points), "sliders": {"jaw_open": 0.3}})
    at = [one.point for one in HAND_PLACED]
    assert np.allclose(np.array(made["from"])[at], face.landmarks[at], atol=0.5)
    assert not torch.equal(pixels(made["picture"]), quantise(image) / 255)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"key": "../../etc/passwd"}, "not known any more"),
        ({"sliders": {"smile": 1}}, "There is no slider 'smile'"),
        ({"sliders": {"smile_l": "wide"}}, "is no number"),
        ({"sliders": {"smile_l": float("nan")}}, "smile_l"),
        ({"preset": "grin"}, "There is no expression 'grin'"),
        ({"strength": None}, "is no number"),
    ],
)
def test_a_preview_that_cannot_be_says_why(demo_models, asked: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        shown({"key": kept(demo_models.face, 3), **asked})


def test_a_preset_is_kept_and_found_again(user: Path):
    told = keep_preset("half smile", {"smile_l": 0.5, "smile_r": 0.5, "jaw_open": 0})
    assert told == {"name": "half smile", "sliders": {"smile_l": 0.5, "smile_r": 0.5}}
    assert dict(known_presets()["half smile"].sliders) == told["sliders"]
    assert rig_and_presets()["presets"]["half smile"] == told["sliders"]
    assert [path.name for path in user.iterdir()] == ["half smile.json"]


def test_each_user_has_presets_of_their_own_and_any_of_them_runs(user: Path):
    keep_preset("of all", {"smile_l": 0.25})
    keep_preset("grumpy", {"frown_l": 0.5}, "ada_1")
    assert [path.name for path in user.parents[1].glob("ada_1/facet/expressions/*")] == [
        "grumpy.json"
    ]
    lists = [rig_and_presets(who)["presets"].keys() for who in ("ada_1", "bob_2")]
    assert lists[0] - lists[1] == {"grumpy"} and "of all" in lists[1]
    assert dict(known_presets()["grumpy"].sliders) == {"frown_l": 0.5}
    with pytest.raises(ValueError, match="another user's preset; choose another name"):
        keep_preset("grumpy", {"frown_l": 0.1}, "bob_2")
    assert keep_preset("grumpy", {"frown_l": 0.4}, "ada_1")["sliders"] == {"frown_l": 0.4}


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a\\b", ".hidden", "x" * 41, "smile"])
def test_a_preset_is_kept_nowhere_else_and_never_over_one_of_the_packs(user: Path, name: str):
    with pytest.raises(ValueError, match=r"choose another name|cannot be a preset's name"):
        keep_preset(name, {"smile_l": 0.5})
    assert not user.exists()
    with pytest.raises(ValueError, match="There is no slider 'x'"):
        keep_preset("fine", {"x": 1})
