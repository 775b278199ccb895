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
from harness.executor import Executor, NodeError
from harness.poses import STANDING, frame


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
    for name, drawn in (("mask.png", mask), ("none.png", mask * 0), ("small.png", mask[:30])):
        Image.fromarray(np.repeat(drawn[..., None], 3, 2)).save(comfy.input / name)
    return comfy


def graph(loader: str = "FacetDemoModels", **more: Any) -> dict[str, dict[str, Any]]:
    """The transfer, of the demo's picture."""
    load = {
        name: {"class_type": "LoadImage", "inputs": {"image": f"{name}.png"}} for name in ("coat",)
    }
    masks = {
        name: {"class_type": "LoadImageMask", "inputs": {"image": f"{name}.png", "channel": "red"}}
        for name in ("mask", "none", "small")
    }
    return {
        **load,
        **masks,
        "models": {"class_type": loader, "inputs": {}},
        "demo": {"class_type": "FacetDemoModels", "inputs": {}},
        "picture": {"class_type": "FacetDemoPicture", "inputs": {"person": 3}},
        "pose": {"class_type": "FacetDemoPicture", "inputs": {"person": 7}},
        "black": {
            "class_type": "EmptyImage",
            "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0},
        },
        "character": {
            "class_type": "FacetCharacter",
            "inputs": {
                "image": ["picture", 0],
                "name": "Ada",
                "trigger": "zqx",
                "class_word": "person",
            },
        },
        "transfer": {
            "class_type": "FacetPoseOutfitTransfer",
            "inputs": {
                "character": ["character", 0],
                "model": ["models", 0],
                "clip": ["models", 1],
                "vae": ["models", 2],
                "reference_mode": "reference_latents",
                "seed": 1,
                "steps": 2,
                "cfg": 1.0,
                "sampler_name": "euler",
                "scheduler": "simple",
                "guidance": 0.0,
                "width": 64,
                "height": 96,
                "tries": 1,
                **more,
            },
        },
    }


def test_pose_and_outfit_join_the_character_as_shots(studio: Executor) -> None:
    wanted = graph(
        pose_image=["pose", 0],
        garment=["coat", 0],
        garment_mask=["mask", 0],
        clip_vision=["demo", 3],
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
    stricter = studio.run(
        {
            **wanted,
            "transfer": {
                **wanted["transfer"],
                "inputs": {**wanted["transfer"]["inputs"], "min_garment": 1.0},
            },
        }
    )
    [again] = stricter.value("transfer").shots
    assert again.hash == shot.hash and not again.include
    assert sorted(Path(written.parent / "tries").glob("*.png")) != [] and before


def test_keypoints_go_through_the_control_net_one_shot_each(studio: Executor) -> None:
    result = studio.run(
        graph(
            "SmallLoader",
            reference_mode="img2img",
            pose_keypoint=["models", 4],
            control_net=["models", 3],
            control_end=0.8,
            decisions='{"pose 2": {"state": "drop"}}',
        )
    )
    shots = result.value("transfer").shots
    assert len(shots) == 2 and shots[0].hash != shots[1].hash
    assert not shots[1].include
    assert all(torch.isfinite(shot.image).all() for shot in shots)


@pytest.mark.parametrize(
    ("loader", "changes", "sentence"),
    [
        ("FacetDemoModels", {}, "neither a pose nor a garment; connect pose_image"),
        ("SmallLoader", {"pose_keypoint": ["models", 5]}, "Pose 1 shows no person"),
        (
            "FacetDemoModels",
            {"pose_image": ["black", 0], "pose_image_is": "openpose_map"},
            "OpenPose map is black and shows no person",
        ),
        (
            "FacetDemoModels",
            {"garment": ["coat", 0], "garment_mask": ["small", 0]},
            "garment_mask is 80 by 30 pixels and the garment 80 by 60; they need the same size",
        ),
        (
            "FacetDemoModels",
            {"garment": ["coat", 0], "garment_mask": ["none", 0]},
            "garment_mask is empty, so that there is no garment",
        ),
        ("FacetDemoModels", {"garment_mask": ["mask", 0]}, "and no garment; connect its picture"),
        (
            "SmallLoader",
            {"reference_mode": "img2img", "pose_keypoint": ["models", 4]},
            "With reference_mode 'img2img' the model can be shown no pose; connect an OpenPose",
        ),
        (
            "SmallLoader",
            {"pose_keypoint": ["models", 4], "pose_image": ["pose", 0]},
            "1 pictures in pose_image and 2 frames in pose_keypoint",
        ),
        (
            "FacetDemoModels",
            {"pose_image": ["pose", 0], "pose_model": ["demo", 0], "pose_vae": ["demo", 2]},
            "A Flux model finds no poses; connect the MODEL of an SDPose checkpoint",
        ),
    ],
)
def test_what_does_not_fit_is_said_by_the_node(
    studio: Executor, loader: str, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(NodeError) as error:
        studio.run(graph(loader, **changes))
    assert str(error.value).startswith("Facet Pose and Outfit Transfer: ")
    assert sentence in str(error.value)
