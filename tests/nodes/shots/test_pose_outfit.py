"""Poses and outfits through ComfyUI's graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nodes
import numpy as np
import pytest
import torch
from PIL import Image

from harness.control_models import small_control_net
from harness.edit_models import edit_models
from harness.executor import Executor, NodeError, Prompt
from harness.poses import STANDING, frame
from harness.prompts import demo_prompt, node, studio_node


class SmallLoader:
    """Models of Stable Diffusion 1.5's shape, a ControlNet, and what finds two poses."""

    RETURN_TYPES = ("MODEL", "CLIP", "VAE", "CONTROL_NET", "POSE_KEYPOINT", "POSE_KEYPOINT")
    FUNCTION = "load"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {}}

    def load(self) -> tuple[Any, ...]:
        models = edit_models("SD 1.5")
        poses = [frame(STANDING), frame(STANDING * np.array([0.8, 0.8, 1], np.float32))]
        return models.model, models.clip, models.vae, small_control_net(), poses, [frame()]


@pytest.fixture
def studio(comfy: Executor, monkeypatch: pytest.MonkeyPatch) -> Executor:
    """ComfyUI with a garment, its mask, and two pictures of a pose to load."""
    monkeypatch.setitem(nodes.NODE_CLASS_MAPPINGS, "SmallLoader", SmallLoader)
    generator = np.random.default_rng(0)
    Image.fromarray(generator.integers(0, 255, (60, 80, 3), np.uint8)).save(
        comfy.input / "coat.png"
    )
    mask = np.zeros((60, 80), np.uint8)
    mask[10:50, 20:60] = 255
    for name, drawn in (("mask.png", mask), ("none.png", mask * 0), ("small_mask.png", mask[:30])):
        Image.fromarray(np.repeat(drawn[..., None], 3, 2)).save(comfy.input / name)
    return comfy


def graph(small: bool = False, **inputs: Any) -> Prompt:
    """The transfer, of the demo's picture; small: in the models of `SmallLoader`, by img2img."""
    studio = studio_node(steps=2, height=96)
    if small:
        studio = studio_node("small", 0, reference_mode="img2img", steps=2, height=96)
    masks = {
        name: node("LoadImageMask", image=f"{name}.png", channel="red")
        for name in ("mask", "none", "small_mask")
    }
    links = {"character": ["character", 0], "studio": ["studio", 0], "judge": ["judge", 0]}
    return demo_prompt(
        coat=node("LoadImage", image="coat.png"),
        **masks,
        small=node("SmallLoader"),
        pose=node("FacetDemoPicture", person=7),
        black=node("EmptyImage", width=64, height=64, batch_size=1, color=0),
        studio=studio,
        judge=node("FacetJudge", clip_vision=["models", 5], tries=1),
        transfer=node("FacetPoseOutfitTransfer", **links, **{"seed": 1, **inputs}),
    )


def test_pose_and_outfit_join_the_character_as_shots(studio: Executor) -> None:
    wanted = graph(
        pose_image=["pose", 0],
        garment=["coat", 0],
        garment_mask=["mask", 0],
        lines="full body, sitting, wearing a striped coat",
    )
    result = studio.run(wanted)
    [shot] = result.value("transfer").shots
    assert shot.tags.pose == "sitting" and shot.tags.outfit == "a striped coat"
    assert shot.provenance.prompt == (
        "same character, full body, sitting, wearing a striped coat, in the pose of the person in "
        "picture 2 and wearing the clothes in picture 3"
    )
    assert shot.provenance.parent == result.value("character").source.hash
    assert shot.score("pose").passed is None
    assert shot.score("garment").value is not None
    [written] = (studio.output / "facet" / "Ada" / "shots").glob("*.png")
    assert (studio.output / "facet" / "Ada" / "poses_and_outfits.png").is_file()
    assert result.ui["transfer"]["facet_shots"][0]["cells"][0]["key"] == written.stem
    assert result.list("transfer", 2)[0].shape == (1, 96, 64, 3)
    before = written.stat().st_mtime_ns
    wanted["transfer"]["inputs"]["min_garment"] = 1.0
    stricter = studio.run(wanted)
    [again] = stricter.value("transfer").shots
    assert again.hash == shot.hash and not again.include
    assert sorted(Path(written.parent / "tries").glob("*.png")) != [] and before


def test_keypoints_go_through_the_control_net_one_shot_each(studio: Executor) -> None:
    result = studio.run(
        graph(
            small=True,
            pose_keypoint=["small", 4],
            control_net=["small", 3],
            control_end=0.8,
            decisions='{"pose 2": {"state": "drop"}}',
        )
    )
    shots = result.value("transfer").shots
    assert len(shots) == 2 and shots[0].hash != shots[1].hash
    assert not shots[1].include
    assert all(torch.isfinite(shot.image).all() for shot in shots)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "neither a pose nor a garment; connect pose_image"),
        ({"small": True, "pose_keypoint": ["small", 5]}, "Pose 1 shows no person"),
        (
            {"pose_image": ["black", 0], "pose_image_is": "openpose_map"},
            "OpenPose map is black and shows no person",
        ),
        (
            {"garment": ["coat", 0], "garment_mask": ["small_mask", 0]},
            "garment_mask is 80 by 30 pixels and the garment 80 by 60; they need the same size",
        ),
        (
            {"garment": ["coat", 0], "garment_mask": ["none", 0]},
            "garment_mask is empty, so that there is no garment",
        ),
        ({"garment_mask": ["mask", 0]}, "and no garment; connect its image"),
        (
            {"small": True, "pose_keypoint": ["small", 4]},
            "With reference_mode 'img2img' the model can be shown no pose; connect an OpenPose",
        ),
        (
            {"small": True, "pose_keypoint": ["small", 4], "pose_image": ["pose", 0]},
            "1 images in pose_image and 2 frames in pose_keypoint",
        ),
    ],
)
def test_what_does_not_fit_is_said_by_the_node(
    studio: Executor, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(NodeError) as error:
        studio.run(graph(**changes))
    assert str(error.value).startswith("Facet Pose and Outfit Transfer: ")
    assert sentence in str(error.value)
