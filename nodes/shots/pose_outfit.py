"""Shots in poses and clothes that come from other pictures."""

from __future__ import annotations

from functools import partial
from itertools import zip_longest
from typing import Any

import torch
from comfy_api.latest import io

from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.generate.shots.plan import from_lines
from ...engine.generate.shots.transfer import (
    Guide,
    PoseMethod,
    Transfer,
    cut_out,
    transfer_plan,
    transfer_shoot,
)
from ...engine.vision.colours import to_rgb
from ...engine.vision.pose import PoseModel, poses_from_keypoints
from ..common import sockets
from ..common.node import Node
from .inputs import decisions_input, shooting_inputs, shot_outputs
from .shooting import ShootRequest, shoot

PICTURE, OPENPOSE_MAP = "picture", "openpose_map"


def pose_inputs() -> list[io.Input]:
    """The poses, and how the model is shown them."""
    return [
        io.Image.Input(
            "pose_image",
            optional=True,
            tooltip="Images of people in the poses to take, or OpenPose maps, as one batch: one "
            "shot for each.",
        ),
        io.Combo.Input(
            "pose_image_is",
            options=[PICTURE, OPENPOSE_MAP],
            default=PICTURE,
            optional=True,
            tooltip="What pose_image holds: images of people, or OpenPose maps.",
        ),
        sockets.PoseKeypoint.Input(
            "pose_keypoint",
            optional=True,
            tooltip="The poses as keypoints, as SDPose Keypoint Extractor gives them: one shot for "
            "each frame, of its largest person.",
        ),
        io.ControlNet.Input(
            "control_net",
            optional=True,
            tooltip="An OpenPose ControlNet that fits the model.",
        ),
        io.Combo.Input(
            "pose_through",
            options=PoseMethod,
            default=PoseMethod.AUTO,
            optional=True,
            advanced=True,
            tooltip="How the model is shown the pose: by the ControlNet, as a further reference of "
            "an edit model, or both. Auto takes the ControlNet where one is connected.",
        ),
        _share("control_strength", 1.0, 10.0, "How strongly the ControlNet holds the pose."),
        _share(
            "control_start", 0.0, 1.0, "When the ControlNet starts, as a share of the sampling."
        ),
        _share("control_end", 1.0, 1.0, "When the ControlNet ends, as a share of the sampling."),
    ]


def garment_inputs() -> list[io.Input]:
    """The clothes, and the words of the shots."""
    return [
        io.Image.Input(
            "garment",
            optional=True,
            tooltip="An image of the clothes to wear. For edit models only.",
        ),
        io.Mask.Input(
            "garment_mask",
            optional=True,
            tooltip="White on the garment, in the size of its image; the rest is ignored.",
        ),
        io.String.Input(
            "lines",
            default="",
            multiline=True,
            optional=True,
            placeholder="full body, sitting, wearing a red raincoat, in a park",
            tooltip="What the shots show, in the words of a Shot Plan: one line for all, or one "
            "for each pose. Say the pose and the outfit too, so that the captions know them.",
        ),
    ]


def measure_inputs() -> list[io.Input]:
    """What checks pose and garment."""
    return [
        _share(
            "max_pose_error",
            0.25,
            2.0,
            "Largest mean distance of the joints from those asked for, in torso lengths.",
        ),
        _share(
            "min_garment",
            0.5,
            1.0,
            "Minimum similarity of the clothes to the garment: cosine of the "
            "CLIP_VISION embeddings. It depends on the encoder; look at the scores of "
            "a few shots.",
        ),
    ]


def _share(name: str, default: float, most: float, tooltip: str) -> io.Input:
    return io.Float.Input(
        name,
        default=default,
        min=0.0,
        max=most,
        step=0.01,
        optional=True,
        advanced=True,
        tooltip=tooltip,
    )


class FacetPoseOutfitTransfer(Node):
    """Puts the character into poses and clothes from other pictures."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetPoseOutfitTransfer",
            display_name="Facet Pose and Outfit Transfer",
            category="Facet/Shots",
            description="The character in a pose or in clothes from another image, or both: "
            "through a ControlNet or as references of an edit model, measured and "
            "retried like every shot.",
            is_output_node=True,
            search_aliases=["pose transfer", "openpose", "controlnet", "outfit", "virtual try-on"],
            inputs=[
                sockets.Character.Input("character", tooltip="The character."),
                *shooting_inputs(),
                *pose_inputs(),
                *garment_inputs(),
                *measure_inputs(),
                decisions_input(),
            ],
            outputs=shot_outputs(),
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def execute(
        cls,
        character: Character,
        pose_image: torch.Tensor | None = None,
        pose_image_is: str = PICTURE,
        pose_keypoint: Any = None,
        control_net: Any = None,
        pose_through: str = PoseMethod.AUTO.value,
        control_strength: float = 1.0,
        control_start: float = 0.0,
        control_end: float = 1.0,
        garment: torch.Tensor | None = None,
        garment_mask: torch.Tensor | None = None,
        lines: str = "",
        max_pose_error: float = 0.25,
        min_garment: float = 0.5,
        **inputs: Any,
    ) -> io.NodeOutput:
        asked = ShootRequest(**inputs)
        finder = asked.judge.pose_model
        guides = guides_from(pose_image, pose_image_is == OPENPOSE_MAP, pose_keypoint, finder)
        transfer = Transfer(
            garment_from(garment, garment_mask),
            control_net,
            control_strength,
            control_start,
            control_end,
            PoseMethod(pose_through),
            max_pose_error,
            min_garment,
        )
        plan = transfer_plan(guides, from_lines(lines).requests, transfer.garment)
        kind = partial(transfer_shoot, transfer=transfer, plan=plan)
        file = "poses_and_outfits.png"
        return shoot(cls, character, plan, file, asked, kind)


def guides_from(
    images: torch.Tensor | None, are_maps: bool, keypoints: Any, finder: PoseModel | None
) -> list[Guide]:
    """One guide for each picture (B, H, W, C) and each frame of a POSE_KEYPOINT.

    With both, they go together in order. Raises FacetError when they do not, or show nobody.
    """
    pictures = [] if images is None else [to_rgb(image) for image in images]
    poses = [] if keypoints is None else poses_from_keypoints(keypoints)
    if pictures and poses and len(pictures) != len(poses):
        raise FacetError(
            f"There are {len(pictures)} images in pose_image and {len(poses)} frames in "
            "pose_keypoint; connect as many of each, or only one of the two."
        )
    if not pictures:
        return [Guide(pose) for pose in poses]
    if poses or are_maps or finder is None:
        pairs = zip_longest(poses, pictures)
        return [Guide(pose, picture, are_maps) for pose, picture in pairs]
    found = [finder.find(picture) for picture in pictures]
    for number, pose in enumerate(found, 1):
        if pose is None:
            raise FacetError(f"Pose {number} shows no person; give an image that shows a body.")
    return [Guide(pose, picture) for pose, picture in zip(found, pictures, strict=True)]


def garment_from(image: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor | None:
    """The garment, cut out of one picture (1, H, W, C) by its mask (1, H, W) or (H, W)."""
    if image is None:
        if mask is not None:
            raise FacetError("A garment_mask is connected and no garment; connect its image.")
        return None
    if image.shape[0] != 1:
        raise FacetError(f"{image.shape[0]} garments are connected; connect one image.")
    masks = None if mask is None else mask.reshape(-1, *mask.shape[-2:])
    if masks is not None and len(masks) != 1:
        raise FacetError(f"{len(masks)} garment masks are connected; give one.")
    return cut_out(to_rgb(image[0]), None if masks is None else masks[0])


NODES = [FacetPoseOutfitTransfer]
