"""Pictures of the demo world with one fault each."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.dataset.lint import Report, lint
from facet.engine.dataset.lint.coverage import count, coverage_findings
from facet.engine.dataset.lint.duplicates import alike
from facet.engine.dataset.lint.looks import Look
from facet.engine.dataset.lint.pictures import blurred, masks, small, weights
from facet.engine.dataset.lint.regions import region_findings
from facet.engine.demo.models import load_clip_vision, load_face
from facet.engine.vision.embedding import embed
from facet.engine.vision.faces import Face
from facet.engine.vision.people import different_people
from facet.engine.vision.sharpness import sharpness
from facet.engine.vision.similarity import small as thumbnail
from facet.world.captions import tags_of
from facet.world.flawed_set import flawed_set, precision_recall
from facet.world.identity import Identity
from facet.world.render import render
from facet.world.scene import Scene

ADA, BEA = Identity.from_seed(1_005_008), Identity.from_seed(1_005_011)


def drawn(who: Identity = ADA, size: int = 64, masked: bool = False, **scene: Any) -> Shot:
    given = Scene(**scene)
    picture = render(who, given, size)
    return Shot(
        torch.from_numpy(picture.image.copy()).float() / 255,
        Provenance("imported"),
        mask=torch.from_numpy(picture.mask.copy()).float() if masked else None,
        caption="zqx person",
        tags=tags_of(given),
    )


def seen(*shots: Shot) -> list[Look]:
    return [
        Look(shot, (), float(min(shot.image.shape[:2])), sharpness(shot.image.mean(-1)[None, None]))
        for shot in shots
    ]


def varied(count: int, **fixed: Any) -> list[Shot]:
    rng = random.Random(4)
    places = [{"place": "plain", "background_colour": c} for c in ("red", "teal", "white", "black")]
    places += [{"place": place} for place in ("park", "night", "beach", "city")]
    shots = []
    for number in range(count):
        scene = Scene.sample(rng, view="front", lighting="natural", **places[number % len(places)])
        shots.append(drawn(masked=True, **{**vars(scene), **fixed}))
    return shots


def face_at(x: float, y: float, width: float, height: float) -> Face:
    import numpy as np

    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Face(np.zeros((478, 2), np.float32), box, 0.0, 0.0, 0.0, width / 2, 1.0, {})


def softened(shot: Shot) -> Shot:
    image = torch.nn.functional.avg_pool2d(shot.image.movedim(-1, 0), 5, 1, 2)
    return replace(shot, image=image.movedim(0, -1))


def test_one_blurred_picture_among_sharp_ones_is_found():
    shots = varied(8)
    (finding,) = blurred(seen(*shots[:7], softened(shots[7])))
    assert finding.shots == (softened(shots[7]).hash,)
    assert (finding.fix.action, finding.fix.shot) == ("exclude", *finding.shots)
    assert blurred(seen(*shots)) == []


def test_a_small_picture_is_small_beside_the_others_or_what_is_trained_at():
    shots = [drawn(jitter=n) for n in range(6)]
    little = drawn(size=32)
    assert [one.shots for one in small(seen(*shots, little))] == [(little.hash,)]
    assert len(small(seen(*shots), resolution=512)) == 6
    assert small(seen(*shots)) == []


def test_weights_that_hide_a_picture_or_repeat_one_get_the_usual_one():
    given = (1.0, 2.0, 2.0, 2.0, 0.0, 9.0, float("nan"), -1.0)
    shots = [replace(drawn(jitter=n), weight=weight) for n, weight in enumerate(given)]
    found = weights(seen(*shots))
    assert [one.shots[0] for one in found] == [shot.hash for shot in shots[4:]]
    assert {one.fix.value for one in found} == {2.0}


def test_an_empty_mask_is_found_and_none_is_no_mask():
    shot = drawn(masked=True)
    empty = replace(shot, mask=torch.zeros_like(shot.mask))
    assert masks(seen(shot, replace(shot, mask=None))) == []
    assert [one.kind for one in masks(seen(empty))] == ["empty_mask"]


def test_one_head_found_twice_is_one_person_and_a_face_far_behind_is_nobody():
    ada, bea = face_at(50, 50, 40, 50), face_at(120, 50, 36, 46)
    again, behind = face_at(40, 30, 20, 30), face_at(150, 20, 8, 10)
    assert different_people([ada, bea, again, behind]) == (ada, bea)


@pytest.mark.parametrize("masked", [True, False])
def test_a_background_that_never_changes_is_found_and_where(masked):
    shots = [replace(shot, mask=shot.mask if masked else None) for shot in varied(10)]
    assert region_findings(seen(*shots), faces=False)[0] == []
    room = [drawn(masked=masked, place="room", view="front", jitter=n) for n in range(9)]
    findings, skipped = region_findings(seen(*room, shots[0]), faces=False)
    (finding,) = findings
    assert finding.kind == "constant_background" and "upper left" in finding.about
    assert set(finding.shots) == {shot.hash for shot in room}
    assert any("edges" in line for line in skipped) is not masked


def test_eight_of_ten_backgrounds_alike_are_let_pass():
    room = [drawn(masked=True, place="room", jitter=n) for n in range(8)]
    assert region_findings(seen(*room, *varied(2)), faces=False)[0] == []


@torch.inference_mode()
def test_the_same_clothes_in_most_pictures_are_found_where_the_face_is():
    face = load_face()
    clothes = {"top": "hoodie", "top_colour": "green", "framing": "medium"}
    same = [drawn(size=128, **(vars(scene_of(n)) | clothes)) for n in range(8)]
    other = [drawn(size=128, **(vars(scene_of(n)) | {"framing": "medium"})) for n in range(8)]
    found = [one for one in lint(of(*same), face_model=face).findings if "garment" in one.kind]
    assert [len(one.shots) for one in found] == [8]
    kinds = [one.kind for one in lint(of(*other), face_model=face).findings]
    assert "constant_garment" not in kinds


def scene_of(number: int) -> Scene:
    places = ("park", "beach", "city", "plain")
    colours = ("red", "blue", "yellow", "white", "pink", "black", "orange", "brown")
    rng = random.Random(number)
    scene = Scene.sample(rng, view="front", pose="standing", lighting="natural")
    return replace(scene, place=places[number % 4], top="sweater", top_colour=colours[number])


def of(*shots: Shot) -> Character:
    return Character("Ada", "zqx", "person", shots[0], shots[1:])


@torch.inference_mode()
def test_a_picture_moved_and_lit_otherwise_is_the_same_and_another_face_is_not():
    scene = {"place": "room", "framing": "close_up", "jitter": 3}
    smile = drawn(size=128, expression="smile", **scene).image
    moved = torch.nn.functional.interpolate(
        smile[3:, 2:-2].movedim(-1, 0)[None], (128, 128), mode="bicubic"
    )[0].movedim(0, -1)
    shots = [smile, moved * 0.95, drawn(size=128, expression="sad", **scene).image]
    thumbnails = torch.stack([thumbnail(image, 64) for image in shots])
    assert alike(thumbnails, embed(load_clip_vision(), shots)) == [(0, 1)]


@torch.inference_mode()
def test_of_two_pictures_alike_the_original_stays():
    shot = drawn(size=128, framing="medium")
    brighter = replace(shot, image=(shot.image * 1.04).clamp(0, 1))
    report = lint(of(shot, brighter), clip_vision=load_clip_vision())
    (finding,) = [one for one in report.findings if one.kind == "near_duplicate"]
    assert finding.fix.shot == brighter.hash


def test_what_no_picture_shows_is_a_hole_and_what_nobody_tagged_is_unknown():
    shots = [
        replace(drawn(jitter=n), tags=Tags(view=view))
        for n, view in enumerate(("front", "three_quarter_left", "profile_left", "top"))
    ]
    findings, skipped = coverage_findings(seen(*shots))
    assert [one.about for one in findings] == ["count", "view three_quarter_right", "view low"]
    assert [line.split(":")[0] for line in skipped] == [
        f"Coverage of {axis}"
        for axis in ("expression", "lighting", "framing", "background", "outfit")
    ]


@pytest.mark.parametrize(("pictures", "kinds"), [(14, ["too_few"]), (24, ["coverage"]), (25, [])])
def test_pictures_are_counted(pictures, kinds):
    assert [one.kind for one in count(pictures)] == kinds


def test_without_models_the_report_says_what_was_not_looked_at():
    report = lint(of(*varied(6)))
    assert [line.split(":")[0] for line in report.skipped] == [
        "Constant garment",
        "Faces",
        "Somebody else's pictures",
    ]
    assert report.headline.startswith(f"Dataset {report.number} of 100, ")
    assert isinstance(report, Report) and report.record()["number"] == report.number


def test_a_dataset_of_nothing_is_linted_too():
    report = lint(of(replace(drawn(), include=False)))
    assert [finding.kind for finding in report.findings] == ["too_few"]


@pytest.mark.nightly
@torch.inference_mode()
def test_two_hundred_flawed_pictures_are_told_apart():
    character, truth = flawed_set([ADA, BEA, Identity.from_seed(1_005_014)], seed=0)
    assert len(character.dataset) == 200
    report = lint(character, clip_vision=load_clip_vision(), face_model=load_face())
    found = precision_recall(report, truth)
    assert min(found["all"]) >= 0.95, found
    assert min(min(pair) for pair in found.values()) >= 0.75, found
