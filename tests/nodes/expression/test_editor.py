"""The expression editor: what it gives back, what it leaves alone, and what it says."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import folder_paths
import pytest
import torch
from comfy_execution.graph_utils import ExecutionBlocker

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels, load_face
from facet.engine.demo.people import demo_picture
from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.expression.editor import view_after
from facet.engine.generate.expression.measured import TOLERANCE, sliders_from_blendshapes
from facet.engine.generate.expression.presets import OWN, PRESETS, requested_expressions, words_for
from facet.engine.generate.expression.table import BY_NAME, HAND_PLACED, SLIDERS
from facet.engine.studio.judge import Judge
from facet.engine.vision.faces import find_face
from facet.nodes.expression.editor import FacetExpressionEditor
from facet.nodes.expression.inputs import known_presets
from harness.studios import studio_of

GREY = torch.full((128, 128, 3), 0.5)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    monkeypatch.setattr(folder_paths, "user_directory", str(tmp_path / "user"))
    yield tmp_path


@cache
def finder() -> Judge:
    """Finds faces, and measures nothing else."""
    return Judge(load_face())


def run(**given: Any) -> Any:
    """The node's output; sliders and points go into the one widget that has them."""
    sliders = {name: given.pop(name) for name in [*given] if name in BY_NAME}
    points = json.loads(given.pop("points", "[]"))
    if sliders or points:
        given["face_edits"] = json.dumps({"sliders": sliders, "points": points})
    return FacetExpressionEditor.execute(**{"judge": finder(), **given})


def ada(*shots: Shot) -> Character:
    original = Shot(demo_picture(0), Provenance("original"), tags=Tags("close_up", "front"))
    return Character("Ada", "zqx", "person", original, shots)


def view(output: Any) -> dict[str, Any]:
    [shown] = output.ui["facet_expression"]
    return dict(shown)


def placed(number: int) -> str:
    """The twelve points where the detector sees them, as a person would place them."""
    picture = demo_picture(number)
    face = find_face(finder().face_model, picture)
    assert face is not None
    points = face.landmarks[[one.point for one in HAND_PLACED]] / (128, 128)
    return json.dumps(points.clip(0, 1).tolist())


def test_at_rest_the_very_same_picture_comes_back(demo_models):
    picture = demo_picture(3)
    images, masks, character, _, _ = run(image=picture[None]).args
    assert torch.equal(images[0][0], picture)
    assert not masks[0].any()
    assert isinstance(character, ExecutionBlocker)
    assert "connect one" in character.message


def test_a_smile_moves_the_mouth_and_nothing_away_from_the_face():
    picture, face_model = demo_picture(3), finder().face_model
    output = run(image=picture[None], preset="smile")
    [image], [mask], _, sheet, text = output.args
    still = mask[0] == 0
    assert torch.equal(image[0][still], picture[still])
    assert 0.01 < float((mask > 0).float().mean()) < 0.6
    assert float((image[0] - picture).abs().max()) > 0.1
    assert sheet.shape[0] == 1
    assert text.startswith("1 of 1 images have another expression.")
    corner = find_face(face_model, picture)
    assert corner is not None
    x, y = corner.landmarks[61].round().astype(int)
    assert mask[0, y, x] > 0


def test_one_slider_does_what_the_same_preset_does():
    picture = demo_picture(1)[None]
    by_preset = run(image=picture, preset="closed").args[0][0]
    by_hand = run(image=picture, blink_r=1.0, blink_l=1.0).args[0][0]
    half = run(image=picture, preset="closed", blink_r=-1.0, blink_l=-1.0).args[0][0]
    assert torch.equal(by_preset, by_hand)
    assert torch.equal(half, picture)


def test_a_picture_without_a_face_comes_back_as_it_is_and_the_node_says_so(demo_models):
    pictures = torch.stack([demo_picture(2), GREY])
    output = run(image=pictures, preset="surprised")
    images, masks, _, _, text = output.args
    assert not torch.equal(images[0][0], pictures[0])
    assert torch.equal(images[1][0], GREY)
    assert not masks[1].any()
    assert "Image 2: no face was found; it is unchanged." in text
    shown = view(output)
    assert {"picture": 1, "code": "no_face", "count": 0} in shown["notes"]
    assert [len(one["faces"]) for one in shown["pictures"]] == [1, 0]
    assert shown["pictures"][1]["whole"]


def test_a_face_that_is_not_there_changes_nothing(demo_models):
    picture = demo_picture(2)
    output = run(image=picture[None], preset="sad", face_index=3)
    assert torch.equal(output.args[0][0][0], picture)
    assert view(output)["notes"][0]["code"] == "no_such_face"


def test_a_character_gets_a_tagged_shot_for_each_expression(demo_models, folders: Path):
    before = ada()
    output = run(
        character=before,
        expressions="smile, surprised\nsmile:0.5 + wink",
    )
    images, _, character, sheet, _ = output.args
    assert len(images) == len(character.shots) == 3
    assert before.shots == ()
    expressions = [shot.tags.expression for shot in character.shots]
    assert expressions == ["smile", "surprised", "smile and winking"]
    for shot in character.shots:
        assert shot.provenance.source == "edited"
        assert shot.provenance.parent == before.source.hash
        assert (shot.tags.framing, shot.tags.view) == ("close_up", "front")
    assert [shot.provenance.instruction for shot in character.shots][2] == "smile:0.5 + wink"
    kept = folders / "output" / "facet" / "Ada" / "expressions"
    assert len(list(kept.glob("*.png"))) == 3
    assert sheet.shape[2] > 3 * 320


def test_only_included_shots_that_look_to_the_front_are_taken(demo_models):
    def shot(number: int, view: str, include: bool = True) -> Shot:
        return Shot(
            demo_picture(number),
            Provenance("generated"),
            tags=Tags("close_up", view),
            include=include,
        )

    character = ada(shot(1, "front"), shot(2, "profile_left"), shot(4, "front", include=False))
    output = run(
        character=character,
        shots="front shots",
        preset="smile",
    )
    made = output.args[2].shots[3:]
    assert [one.provenance.parent for one in made] == [
        character.source.hash,
        character.shots[0].hash,
    ]


def test_points_placed_by_hand_stand_in_for_a_detector(demo_models):
    picture = demo_picture(5)
    output = run(image=picture[None], points=placed(5), jaw_open=0.3, judge=None)
    assert not torch.equal(output.args[0][0][0], picture)
    without = run(image=picture[None], jaw_open=0.3, judge=Judge())
    assert torch.equal(without.args[0][0][0], picture)
    assert view(without)["notes"][0]["code"] == "no_face"


def test_the_expression_of_another_picture_is_copied():
    smiling = run(image=demo_picture(7)[None], preset="surprised").args[0][0]
    output = run(image=demo_picture(3)[None], expression_from=smiling)
    copied = view(output)["copied"]
    assert copied
    assert set(copied) <= {slider.name for slider in SLIDERS}
    assert not torch.equal(output.args[0][0][0], demo_picture(3))


def test_calibrated_the_detector_sees_no_less_of_what_was_asked():
    face_model = finder().face_model
    wanted = PRESETS["surprised"]

    def missed(image: torch.Tensor, before: dict[str, float]) -> float:
        face = find_face(face_model, image)
        assert face is not None
        shown = sliders_from_blendshapes(face.blendshapes)
        return sum(
            max(0.0, abs(min(1.0, before[name] + wanted[name]) - shown[name]) - TOLERANCE)
            for name in wanted
        )

    for person in (3, 6):
        picture = demo_picture(person)
        given = {"image": picture[None], "preset": "surprised"}
        face = find_face(face_model, picture)
        assert face is not None
        before = sliders_from_blendshapes(face.blendshapes)
        plain = missed(run(**given).args[0][0][0], before)
        assert missed(run(**given, calibrate=True).args[0][0][0], before) <= plain


def test_what_has_moved_is_painted_and_the_rest_is_not(demo_models: DemoModels):
    given = {"image": demo_picture(2)[None], "preset": "surprised"}
    painter = {"studio": studio_of(demo_models, steps=2, cfg=3.0), "face_size": 128}
    warped = run(**given).args
    painted = run(**given, **painter).args
    still = painted[1][0][0] == 0
    assert torch.equal(painted[0][0][0][still], demo_picture(2)[still])
    assert not torch.equal(painted[0][0], warped[0][0])
    assert (painted[1][0] >= warped[1][0]).all()
    # Nothing is as alike as that.
    measured = replace(finder(), clip_vision=demo_models.clip_vision)
    refused = run(**given, **painter, judge=measured, max_identity_loss=-2.0).args
    assert torch.equal(refused[0][0], warped[0][0])
    assert "Repainting discarded" in refused[4]


def test_a_jaw_opens_over_teeth_only_where_a_model_paints_them(demo_models: DemoModels):
    given = {"image": demo_picture(3)[None], "preset": "surprised"}
    said = "The teeth that show would be stretched: jaw_open is held at "
    warped = run(**given)
    assert said in warped.args[4] and not view(warped)["paints"]
    painter = {"studio": studio_of(demo_models, steps=1, cfg=3.0), "face_size": 128}
    painted = run(**given, **painter)
    assert "jaw_open" not in painted.args[4] and view(painted)["paints"]


@torch.inference_mode()
def test_a_head_turned_far_is_a_new_picture_in_that_view(folders: Path, demo_models: DemoModels):
    shows = ReferenceMode.REFERENCE_LATENTS
    studio = studio_of(demo_models, shows, side=0, steps=10, cfg=3.0)
    given = {
        "character": ada(),
        "judge": Judge(demo_models.face, demo_models.clip_vision),
        "studio": studio,
        "head_yaw": -38.0,
    }
    turned = run(**given, preset="smile")
    [image], [mask], character, _, text = turned.args
    face = find_face(demo_models.face, image[0])
    assert face is not None
    assert face.yaw == pytest.approx(-45, abs=12)
    [shot] = character.shots
    assert (shot.tags.view, shot.tags.expression) == ("three_quarter_left", "smile")
    assert shot.provenance.parent == character.source.hash
    assert shot.accepted and shot.include
    assert mask.all()
    assert "a new image was made, three-quarter view left" in text
    tries = folders / "output" / "facet" / "Ada" / "expressions" / "tries"
    made = sorted(path.stat().st_mtime_ns for path in tries.glob("*.png"))
    again = run(**given, preset="smile")
    assert torch.equal(again.args[0][0], image)
    assert sorted(path.stat().st_mtime_ns for path in tries.glob("*.png")) == made

    # A model that does not see the original knows nobody to turn.
    for mode in (ReferenceMode.IMG2IMG, ReferenceMode.AUTO):
        held = run(**{**given, "studio": replace(studio, mode=mode)}, denoise=0.0)
        assert "A warp turns a head by at most 8 degrees" in held.args[4]
        assert held.args[2].shots[0].tags.view == "front"


@pytest.mark.parametrize(
    ("yaw", "turn", "nod", "view"),
    [
        (0, 20, 0, None),
        (0, 25, 0, "three_quarter_right"),
        (0, -70, 0, "profile_left"),
        (-40, 38, 5, "front"),
        (0, 10, -20, "top"),
        (0, 0, 20, "low"),
    ],
)
def test_the_view_is_the_one_nearest_to_where_the_head_would_look(yaw, turn, nod, view):
    assert view_after(yaw, turn, nod) == view


def test_blended_names_are_added_up_within_what_a_face_can_do():
    [one] = requested_expressions("smile:0.5 + wink", OWN, 1.0, {}, known_presets())
    assert one.sliders["smile_r"] == pytest.approx(
        0.5 * PRESETS["smile"]["smile_r"] + PRESETS["wink"]["smile_r"]
    )
    assert one.sliders["blink_l"] == one.sliders["smile_l"] == 1
    assert all(slider.low <= one.sliders[slider.name] <= slider.high for slider in SLIDERS)
    [own] = requested_expressions("", OWN, 1.0, {"smile_l": 5.0}, known_presets())
    assert own.sliders["smile_l"] == 1


def test_what_a_warp_could_not_show_is_said_in_words():
    assert words_for({"jaw_open": 0.3, "blink_r": 0.2, "blink_l": 0.2, "nose_lift": 1.0}) == (
        "mouth wide open",
        "eyes closed",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"image": None}, "Connect an image or a character, one of the two."),
        ({"character": "ada"}, "Connect an image or a character, one of the two."),
        ({"expressions": "smile, grin"}, "There is no expression 'grin'"),
        ({"expressions": "smile:lots"}, "'lots' in the expression 'smile:lots' is no number"),
        ({"expressions": "smile, smile"}, "'smile' is listed twice"),
        ({"smile_l": math.nan}, "The slider smile_l is nan"),
        ({"points": "[[0, 1]]"}, "The points are no list of 12 pairs"),
        ({"points": json.dumps([[0.5, 1.5]] * 12)}, "A point lies outside of the image"),
        (
            {"points": json.dumps([[0.5, 0.5]] * 12), "judge": Judge()},
            "less than a pixel apart",
        ),
        ({"face_edits": "{"}, "face_edits is not a JSON object such as"),
        ({"face_edits": '{"sliders": {"smile": 1}}'}, "There is no slider 'smile'"),
        ({"calibrate": True, "judge": None}, "connect a judge with a face detection model"),
        (
            {"expression_from": GREY[None], "judge": Judge()},
            "connect a judge with a face detection model",
        ),
        ({"image": torch.full((1, 8, 8, 3), math.nan)}, "values that are not numbers"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(given: dict[str, Any], said: str):
    given = {"image": demo_picture(0)[None], "judge": None, **given}
    if "character" in given:
        given["character"] = ada()
    with pytest.raises(ValueError, match=r"^Facet Expression Editor: ") as error:
        run(**given)
    assert said in str(error.value)
    assert str(error.value).endswith(".")


def test_a_model_is_asked_how_it_is_shown_the_original_only_where_it_is(demo_models: DemoModels):
    given = {"image": demo_picture(0)[None], "studio": studio_of(demo_models)}
    with pytest.raises(ValueError, match=r"^Facet Expression Editor: A Flux model may or may not"):
        run(**given, show_original=True)
    assert torch.equal(run(**given).args[0][0], given["image"])


def test_a_broken_preset_of_ones_own_is_named_and_takes_nothing_else_away(
    folders: Path, caplog: pytest.LogCaptureFixture
):
    own = folders / "user" / "facet" / "expressions"
    own.mkdir(parents=True)
    (own / "grin.json").write_text(
        json.dumps({"grin": {"sliders": {"smile_r": 0.5, "smile_l": 0.5}}}), "utf-8"
    )
    schema = FacetExpressionEditor.define_schema()
    [preset] = [one for one in schema.inputs if one.id == "preset"]
    assert "grin" in preset.options
    [wanted] = requested_expressions("grin", OWN, 1.0, {}, known_presets())
    assert wanted.sliders["smile_r"] == 0.5

    (own / "grin.json").write_text("{", "utf-8")
    [preset] = [one for one in FacetExpressionEditor.define_schema().inputs if one.id == "preset"]
    assert preset.options == [OWN, *PRESETS]
    assert "grin.json is left out" in caplog.text
    assert run(image=demo_picture(0)[None], preset="smile")
