"""Poses: read from keypoints, compared, and found by core's SDPose."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from comfy_extras.nodes_sdpose import SDPoseKeypointExtractor

from facet.engine.vision.pose import (
    Pose,
    PoseModel,
    clothed_box,
    pose_error,
    pose_from_record,
    poses_from_keypoints,
)
from harness.control_models import small_pose_model
from harness.poses import STANDING, frame, posed


def test_each_frame_gives_its_largest_person():
    small = (STANDING * np.array([0.3, 0.3, 1])).astype(np.float32)
    [first, second] = poses_from_keypoints([frame(small, STANDING), frame(STANDING, small)])
    for pose in (first, second):
        assert (pose.width, pose.height) == (200, 300)
        assert torch.allclose(pose.body, torch.tensor(STANDING))


def test_what_was_not_found_is_not_seen():
    lost = STANDING.copy()
    lost[4] = (-1, -1, 0.9)
    lost[7] = (float("nan"), 10, 0.9)
    lost[10, 2] = 0.1
    [pose] = poses_from_keypoints(frame(lost))
    assert [joint for joint in range(18) if not pose.seen[joint]] == [4, 7, 10]
    assert torch.isfinite(pose.body).all()


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([], r"POSE_KEYPOINT holds no frame"),
        ([frame()], r"Pose 1 shows no person; give a pose"),
        ([frame(STANDING), frame(STANDING * 0)], r"Pose 2 shows no person"),
        ([{"people": []}], r"Pose 1 is not in OpenPose's format \('canvas_width'\)"),
        ([{**frame(STANDING), "canvas_width": 0}], r"canvas of 0 by 300 pixels"),
        (
            [{**frame(), "people": [{"pose_keypoints_2d": [1.0] * 75}]}],
            r"needs canvas_width, canvas_height and people with 18",
        ),
        ("a pose", r"POSE_KEYPOINT holds no frame"),
    ],
)
def test_what_is_no_pose_is_refused_in_a_sentence(frames: Any, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        poses_from_keypoints(frames)


def test_the_same_pose_elsewhere_and_larger_is_the_same():
    asked = posed()
    moved = Pose(asked.body * torch.tensor((2.0, 2.0, 1)) + torch.tensor((30.0, 50, 0)), 900, 900)
    assert pose_error(asked, moved) == pytest.approx(0, abs=1e-5)


def test_a_raised_arm_counts_by_its_share_of_the_joints():
    asked, found = posed(), posed()
    torso = 100.0
    found.body[4, :2] += torch.tensor((0.0, -torso))
    assert pose_error(asked, found) == pytest.approx(1 / 14)
    found.body[4, 2] = 0
    assert pose_error(asked, found) == pytest.approx(1 / 14)


def test_shoulders_measure_where_hips_are_out_of_the_picture():
    asked, found = posed(), posed()
    found.body[[8, 9, 10, 11, 12, 13], 2] = 0
    assert pose_error(asked, found) == pytest.approx(6 / 14)
    found.body[2, 2] = 0
    assert pose_error(asked, found) is None


def test_a_record_is_the_pose_in_a_picture_of_any_size():
    pose = posed()
    again = pose_from_record(pose.record(), 200, 300)
    assert again is not None and torch.allclose(again.body, pose.body, atol=0.01)
    half = pose_from_record(pose.record(), 100, 150)
    assert half is not None and pose_error(pose, half) == pytest.approx(0, abs=1e-3)
    assert pose_from_record((), 100, 150) is None


def test_clothes_are_below_the_head_and_inside_the_picture():
    pose = posed()
    left, top, right, bottom = clothed_box(pose)
    assert float(pose.body[0, 1]) < top < float(pose.body[1, 1])
    assert 0 <= left < float(pose.body[4, 0]) and float(pose.body[7, 0]) < right <= 200
    assert float(pose.body[10, 1]) < bottom <= 300
    pose.body[3:, 2] = 0
    assert clothed_box(pose) is None


@pytest.fixture(scope="module")
def pose_model() -> PoseModel:
    return PoseModel(*small_pose_model())


@torch.inference_mode()
def test_the_pose_found_is_the_one_that_cores_node_finds(pose_model):
    image = torch.rand(60, 45, 3, generator=torch.Generator().manual_seed(1))
    found = pose_model.find(image)
    answer = SDPoseKeypointExtractor.execute(pose_model.model, pose_model.vae, image[None], 1)
    [expected] = poses_from_keypoints(answer.result[0])
    assert found is not None and torch.equal(found.body, expected.body)
    assert (found.width, found.height) == (45, 60)
    assert len(found.hands) == 2 and math.isfinite(float(found.hands[0].sum()))


@torch.inference_mode()
def test_nobody_is_found_where_no_joint_is_sure(pose_model):
    layer = pose_model.model.model.diffusion_model.heatmap_head.final_layer
    kept = layer.weight.clone(), layer.bias.clone()
    try:
        layer.weight *= 0.0
        layer.bias.fill_(0.1)
        assert pose_model.find(torch.rand(60, 45, 3)) is None
    finally:
        layer.weight.copy_(kept[0])
        layer.bias.copy_(kept[1])


def test_another_model_and_a_lost_vae_are_refused(demo_models, pose_model):
    with pytest.raises(ValueError, match=r"Flux model finds no poses; connect the MODEL of an SD"):
        PoseModel(demo_models.model, pose_model.vae)
    with pytest.raises(ValueError, match=r"needs its own VAE"):
        replace(pose_model, vae=None)
