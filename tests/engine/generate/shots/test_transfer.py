"""Poses and garments at the networks' own inputs, with models of the families' shapes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.people import demo_picture
from facet.engine.families.dialects import load
from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.shots.gates import GATES, Gates, Thresholds
from facet.engine.generate.shots.make import Shoot
from facet.engine.generate.shots.plan import ShotRequest
from facet.engine.generate.shots.reading import Reading
from facet.engine.generate.shots.remedies import RetryRules
from facet.engine.generate.shots.store import ShotStore
from facet.engine.generate.shots.transfer import (
    GarmentGate,
    Guide,
    PoseMethod,
    Transfer,
    cut_out,
    pose_score,
    transfer_plan,
    transfer_shoot,
)
from facet.engine.studio.sizes import fitting
from facet.engine.studio.studio import Studio
from facet.engine.vision.pose_map import draw_pose, placed
from harness.control_models import small_control_net
from harness.edit_models import edit_models
from harness.poses import posed
from harness.small_models import small_clip_vision

SIZE = (64, 96)
NO_KEYPOINTS = "skipped: the pose has no keypoints to compare"
LINE = ShotRequest(Tags("full", pose="sitting"))


@pytest.fixture
def ada() -> Character:
    return Character("Ada", "zqx", "person", Shot(demo_picture(3), Provenance("original")))


def shoot(
    ada: Character,
    name: str,
    mode: ReferenceMode,
    guides: list[Guide],
    lines: tuple[ShotRequest, ...] = (LINE,),
    style: str = "auto",
    **transfer: Any,
) -> tuple[Shoot, Any]:
    models = edit_models(name)
    sampling = Sampling(*SIZE, steps=2, cfg=2.0)
    studio = Studio(models.model, models.clip, models.vae, sampling, mode, denoise=1.0, style=style)
    wanted = Transfer(**transfer)
    plan = transfer_plan(guides, lines, wanted.garment)
    gates = Gates(ada.source.image, Thresholds(off=frozenset(GATES)))
    return transfer_shoot(
        ada, studio, gates, 1, RetryRules(tries=1), transfer=wanted, plan=plan
    ), plan


@contextmanager
def seen(network: Any) -> Iterator[list[dict[str, Any]]]:
    """What ``network`` is given by name at each call."""
    calls: list[dict[str, Any]] = []
    handle = network.register_forward_pre_hook(
        lambda _module, _args, named: calls.append(dict(named)), with_kwargs=True
    )
    try:
        yield calls
    finally:
        handle.remove()


@torch.inference_mode()
def test_the_control_net_gets_each_pose_as_the_map_that_is_drawn_of_it(ada, tmp_path):
    net = small_control_net()
    guides = [Guide(posed()), Guide(posed())]
    guides[1].pose.body[4, :2] -= torch.tensor((20.0, 100.0))
    made, plan = shoot(ada, "SD 1.5", ReferenceMode.IMG2IMG, guides, control_net=net)
    with seen(net.control_model) as calls:
        shots = made.run(plan, ShotStore(tmp_path))
    laid = fitting((200, 300), SIZE)
    maps = [draw_pose(placed(guide.pose, laid.box, *SIZE)) for guide in guides]
    assert not torch.equal(maps[0], maps[1])
    assert len(calls) == 4  # two shots of two steps
    for call, drawn in zip(calls, [maps[0], maps[0], maps[1], maps[1]], strict=True):
        assert call["x"].shape[0] == 2  # positive and negative
        [hint] = call["hint"]  # for both
        assert torch.equal(hint.movedim(0, -1), drawn)
    assert shots[0].hash != shots[1].hash
    assert [shot.tags for shot in shots] == [LINE.tags, LINE.tags]
    assert shots[0].provenance.prompt == "person, full body, sitting"
    assert shots[0].score("pose").note == "skipped: no pose_model is connected"
    with seen(net.control_model) as calls:
        again = made.run(plan, ShotStore(tmp_path))
    assert calls == [] and [one.hash for one in again] == [one.hash for one in shots]


@torch.inference_mode()
def test_strength_start_and_end_are_the_control_nets(ada, tmp_path):
    net = small_control_net()
    pictures, counts = [], []
    for strength, start, end in ((1.0, 0.0, 1.0), (0.5, 0.0, 1.0), (1.0, 0.4, 1.0), (0, 0, 1)):
        made, plan = shoot(
            ada,
            "SD 1.5",
            ReferenceMode.IMG2IMG,
            [Guide(posed())],
            control_net=net,
            strength=strength,
            start=start,
            end=end,
        )
        with seen(net.control_model) as calls:
            [shot] = made.run(plan, ShotStore(tmp_path))
        counts.append(len(calls))
        pictures.append(shot.hash)
    assert counts == [2, 2, 1, 0]
    assert len(set(pictures)) == 4


@torch.inference_mode()
def test_an_edit_model_sees_original_pose_and_garment_in_order(ada, tmp_path):
    garment = torch.rand(40, 80, 3, generator=torch.Generator().manual_seed(1))
    models = edit_models("Flux Kontext")
    made, plan = shoot(
        ada,
        "Flux Kontext",
        ReferenceMode.REFERENCE_LATENTS,
        [Guide(posed())],
        style="plain",
        garment=garment,
    )
    with seen(models.model.model.diffusion_model) as calls:
        [shot] = made.run(plan, ShotStore(tmp_path))
    for call in calls:
        _original, pose, clothes = call["ref_latents"]
        assert pose.shape[-2] > 1.3 * pose.shape[-1]
        assert clothes.shape[-1] > 1.7 * clothes.shape[-2]
    assert shot.provenance.prompt == (
        "same character, full body, sitting, in the pose of the skeleton in picture 2 and wearing "
        "the clothes in picture 3"
    )
    assert shot.provenance.instruction == ""
    assert shot.image.shape == (96, 64, 3)
    assert [one.gate for one in shot.scores[-2:]] == ["pose", "garment"]


def test_each_family_is_told_in_its_own_words_what_to_take_from_which_picture():
    pose, outfit = (
        load("qwen_image_edit").transfer(kind, number, "woman")
        for kind, number in (("pose_map", 2), ("outfit", 3))
    )
    assert pose == "put the woman in Picture 1 into the pose of the skeleton in Picture 2"
    assert outfit == "dress the woman in Picture 1 in the clothes in Picture 3"


@torch.inference_mode()
def test_both_ways_at_once(ada, tmp_path):
    picture = torch.rand(60, 30, 3, generator=torch.Generator().manual_seed(2))
    made, plan = shoot(
        ada,
        "Flux Kontext",
        ReferenceMode.REFERENCE_LATENTS,
        [Guide(posed(), picture)],
        control_net=small_control_net(),
        through=PoseMethod.BOTH,
    )
    line = made.kind.line(plan.requests[0])
    assert torch.equal(line.camera.studio.references[0], picture)
    assert "pose of the person in picture 2" in line.prompt(())
    assert line.camera.control.hint.shape == (96, 64, 3)


def test_a_map_is_laid_whole_on_black():
    white = torch.ones(50, 100, 3)
    laid = Guide(picture=white, is_map=True).map(64, 96)
    assert laid[:32].max() == 0 and laid[-32:].max() == 0
    assert torch.allclose(laid[32:64], torch.ones(32, 64, 3))


@pytest.mark.parametrize(
    ("mode", "guides", "transfer", "sentence"),
    [
        ("img2img", True, {}, r"'img2img' the model can be shown no pose; connect an OpenPose"),
        ("img2img", False, {"garment": torch.rand(20, 20, 3)}, r"can be shown no garment"),
        ("img2img", True, {"through": PoseMethod.CONTROL_NET}, r"no control_net is connected"),
        ("img2img", None, {"control_net": small_control_net}, r"Pose 1 is a plain picture, and"),
    ],
)
@torch.inference_mode()
def test_a_model_that_takes_neither_says_so(ada, mode, guides, transfer, sentence):
    given = [Guide(posed())] if guides else []
    if guides is None:
        given = [Guide(picture=torch.rand(30, 30, 3))]
    transfer = {
        key: value() if callable(value) and key == "control_net" else value
        for key, value in transfer.items()
    }
    with pytest.raises(ValueError, match=sentence):
        shoot(ada, "SD 1.5", ReferenceMode(mode), given, **transfer)


def test_lines_go_with_poses():
    guides = [Guide(posed()), Guide(posed())]
    other = ShotRequest(Tags("medium"), "add rain")
    plan = transfer_plan(guides, (LINE, other), None)
    assert [one.label for one in plan.requests] == [
        "full body, sitting, pose 1",
        "medium shot, do: add rain, pose 2",
    ]
    assert [one.label for one in transfer_plan(guides, (), None).requests] == ["pose 1", "pose 2"]
    clothes = transfer_plan([], (LINE, other), torch.rand(20, 20, 3))
    assert [one.tags for one in clothes.requests] == [LINE.tags, other.tags]
    with pytest.raises(ValueError, match=r"2 poses and 3 lines; write one line for all"):
        transfer_plan(guides, (LINE, LINE, LINE), None)
    with pytest.raises(ValueError, match=r"neither a pose nor a garment; connect"):
        transfer_plan([], (LINE,), None)
    with pytest.raises(ValueError, match=r"OpenPose map is black and shows no person"):
        Guide(picture=torch.zeros(9, 9, 3), is_map=True)


def test_a_garment_is_cut_out_on_white():
    image, mask = torch.full((60, 80, 3), 0.2), torch.zeros(60, 80)
    mask[20:40, 10:50] = 1
    image[20:40, 10:50] = torch.tensor((1.0, 0, 0))
    mask[20:25, 10:15] = 0
    cut = cut_out(image, mask)
    assert cut.shape == (24, 44, 3)
    assert torch.equal(cut[10, 20], torch.tensor((1.0, 0, 0)))
    assert cut[0].min() == 1 and cut[3, 3].min() == 1
    assert cut_out(image, None) is image


@pytest.mark.parametrize(
    ("image", "mask", "sentence"),
    [
        ((40, 50), torch.ones(64, 64), r"garment_mask is 64 by 64 pixels and the garment 50 by 40"),
        ((40, 50), torch.zeros(40, 50), r"garment_mask is empty, so that there is no garment"),
        ((4, 50), None, r"The garment is 50 by 4 pixels; give one of 8 or more"),
    ],
)
def test_no_garment_is_said_in_a_sentence(image, mask, sentence):
    with pytest.raises(ValueError, match=sentence):
        cut_out(torch.rand(*image, 3), mask)
    with pytest.raises(ValueError, match=r"empty white picture"):
        cut_out(torch.ones(30, 30, 3), None)


def test_the_pose_is_held_to_its_joints():
    asked, found = posed(), posed()
    reading = Reading(pose_model="SDPose", pose=found.record())
    assert pose_score(reading, (200, 300), asked, 0.25).passed is True
    found.body[[3, 4, 6, 7], 1] -= 150
    score = pose_score(Reading(pose_model="SDPose", pose=found.record()), (200, 300), asked, 0.25)
    assert score.passed is False and score.value == pytest.approx(4 * 1.5 / 14, abs=1e-3)
    assert score.note == "the pose is off by 0.43 torso lengths"
    nobody = pose_score(Reading(pose_model="SDPose"), (200, 300), asked, 0.25)
    assert (nobody.passed, nobody.note) == (False, "no person's pose was found")
    unknown = pose_score(reading, (200, 300), None, 0.25)
    assert (unknown.passed, unknown.note) == (None, NO_KEYPOINTS)


@torch.inference_mode()
def test_clothes_are_compared_where_the_body_is():
    garment = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(3))
    image = torch.zeros(300, 200, 3)
    image[60:280] = garment.repeat(4, 4, 1)[:220, :200]
    gate = GarmentGate(garment, small_clip_vision(), 0.5)
    whole = gate.score(image, Reading())
    assert whole.note.endswith("by the whole picture: no pose was measured")
    by_pose = gate.score(image, Reading(pose_model="SDPose", pose=posed().record()))
    assert by_pose.value != whole.value and "whole" not in by_pose.note
    assert gate.score(garment, Reading()).value == pytest.approx(1, abs=1e-4)
    unmeasured = GarmentGate(garment, None, 0.5).score(image, Reading())
    assert (unmeasured.passed, unmeasured.note) == (None, "skipped: no CLIP_VISION is connected")
