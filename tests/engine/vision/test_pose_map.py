"""OpenPose maps: the colours and places that ControlNets know."""

from __future__ import annotations

import pytest
import torch
from comfy_extras.nodes_sdpose import SDPoseDrawKeypoints

from facet.engine.vision.pose import Pose, poses_from_keypoints
from facet.engine.vision.pose_map import COLOURS, LIMBS, draw_pose, placed
from harness.poses import STANDING, frame, posed


def large() -> Pose:
    return placed(posed(), (84, 0, 341, 512), 512, 512)


def test_each_joint_has_its_colour_and_each_limb_a_darker_one():
    pose = large()
    drawn = draw_pose(pose)
    assert drawn.shape == (512, 512, 3) and drawn.dtype == torch.float32
    for joint, colour in enumerate(COLOURS):
        x, y = pose.body[joint, :2].round().int().tolist()
        assert torch.allclose(drawn[y, x], torch.tensor(colour) / 255, atol=0.02), joint
    for start, end in LIMBS[:12]:
        x, y = pose.body[[start, end], :2].mean(0).round().int().tolist()
        shade = torch.tensor(COLOURS[LIMBS.index((start, end))]) / 255 * 0.6
        assert torch.allclose(drawn[y, x], shade, atol=0.02), (start, end)


def test_it_covers_what_cores_drawing_covers_with_smooth_edges():
    pose = large()
    ours = draw_pose(pose)
    keypoints = [{**frame(pose.body.numpy()), "canvas_width": 512, "canvas_height": 512}]
    answer = SDPoseDrawKeypoints.execute(keypoints, True, False, False, False, 4, 3, 0.3, True)
    theirs = answer.result[0][0]
    mine, other = ours.amax(-1) > 0.3, theirs.amax(-1) > 0.3
    assert float((mine & other).sum() / (mine | other).sum()) > 0.75
    assert ours[~mine & ~other].mean() < 0.02
    between = (ours.amax(-1) > 0.05) & (ours.amax(-1) < 0.55)
    assert between.sum() > 200
    assert ((theirs.amax(-1) > 0.05) & (theirs.amax(-1) < 0.55)).sum() == 0


def test_what_was_not_seen_is_not_drawn():
    pose = large()
    pose.body[4, 2] = 0.2
    x, y = pose.body[4, :2].round().int().tolist()
    assert draw_pose(pose)[y - 6 : y + 7, x - 6 : x + 7].max() == 0


def test_hands_are_drawn_and_faces_are_not():
    figure = frame(STANDING)
    person = figure["people"][0]
    person["face_keypoints_2d"] = [20.0, 20.0, 1.0] * 70
    hand = [(20 + 3 * n, 250 - (n % 4) * 5, 1.0) for n in range(21)]
    person["hand_left_keypoints_2d"] = [value for joint in hand for value in joint]
    [pose] = poses_from_keypoints(figure)
    drawn = draw_pose(pose)
    assert drawn[15:26, 15:26].max() == 0
    assert drawn[230:252, 18:85].amax(-1).gt(0.5).sum() > 30


@pytest.mark.parametrize("size", [(64, 96), (1024, 768), (4096, 512)])
def test_a_map_has_the_size_that_is_made(size):
    width, height = size
    drawn = draw_pose(placed(posed(), (0, 0, min(size), min(size)), width, height))
    assert drawn.shape == (height, width, 3)
    assert 0.005 < drawn.amax(-1).gt(0.3).float().mean() * width * height / min(size) ** 2 < 0.2
