"""What measures pictures: wired once, taken by every node that measures some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from comfy_api.latest import io

from ...engine.core.errors import FacetError
from ...engine.generate.shots.gates import Thresholds
from ...engine.generate.shots.remedies import OWN, settings
from ...engine.studio.judge import Judge
from ...engine.vision.crops import CROPS
from ...engine.vision.people import check_detector
from ...engine.vision.pose import PoseModel
from ..common import sockets
from ..common.node import Node
from .strictness import threshold_input, tries_input

THRESHOLDS = {one.name: one for one in fields(Thresholds)}
LOOKS = ("whole", "aligned face", "without background")


def model_inputs() -> list[io.Input]:
    """The models that measure; each may be missing."""
    return [
        sockets.FaceDetection.Input(
            "face_detection_model",
            optional=True,
            tooltip="Finds faces, and measures which way each one looks and how large it is. If "
            "not connected, view and framing are not checked.",
        ),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Measures how similar an image is to the original. DINOv2 or SigLIP is "
            "recommended. If not connected, similarity is not checked.",
        ),
        sockets.FaceEmbedder.Input(
            "face_embedder",
            optional=True,
            tooltip="A face recognition model: the scorer and Character Shot then measure "
            "identity on faces instead of appearance. Where it sees faces, it needs the face "
            "detection model.",
        ),
        io.Model.Input(
            "person_detector",
            optional=True,
            tooltip="An RT-DETR model, loaded with Load Diffusion Model: finds whole people, also "
            "from behind. If not connected, people are counted by their faces.",
        ),
        io.Model.Input(
            "pose_model",
            optional=True,
            tooltip="The MODEL of an SDPose checkpoint: finds the pose in images of people. If "
            "not connected, the pose is not checked.",
        ),
        io.Vae.Input("pose_vae", optional=True, tooltip="The VAE of the same SDPose checkpoint."),
        io.BackgroundRemoval.Input(
            "background_removal",
            optional=True,
            tooltip="Cuts the person out: to recognise the pose and outfit of a training image "
            "in another place, and to measure similarity without the background.",
        ),
    ]


def strictness_inputs() -> list[io.Input]:
    """The thresholds that people change; all others are in the options."""
    return [
        threshold_input(THRESHOLDS["min_identity"], optional=True),
        tries_input(optional=True),
        threshold_input(THRESHOLDS["max_yaw_error"], optional=True, advanced=True),
        io.Combo.Input(
            "look_at",
            options=list(LOOKS),
            optional=True,
            default=LOOKS[0],
            advanced=True,
            tooltip="What the CLIP_VISION sees of each image in the scorer and in Character Shot, "
            "where no face embedder is connected. Faces alone need the face detection model, the "
            "person without a background the background removal model.",
        ),
        sockets.JudgeOptions.Input(
            "options",
            optional=True,
            tooltip="All thresholds and retry rules, from Facet Judge Options. Values changed "
            "on this node take precedence.",
        ),
        sockets.Judge.Input(
            "judge",
            optional=True,
            tooltip="Another judge, whose models are added to those connected here. The "
            "thresholds are this node's.",
        ),
    ]


class FacetJudge(Node):
    """Bundles what measures images."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetJudge",
            display_name="Facet Judge",
            category="Facet/Studio",
            description="What measures images, wired once for all nodes, and how strict it is. "
            "Connect what you have: a check whose model is missing is skipped and says so.",
            search_aliases=["quality check", "gates", "likeness", "face detection", "thresholds"],
            inputs=[*model_inputs(), *strictness_inputs()],
            outputs=[sockets.Judge.Output("judge", tooltip="For every node that measures images.")],
        )

    @classmethod
    def execute(
        cls,
        min_identity: float = OWN["min_identity"],
        tries: int = int(OWN["tries"]),
        max_yaw_error: float = OWN["max_yaw_error"],
        look_at: str = LOOKS[0],
        face_detection_model: Any = None,
        clip_vision: Any = None,
        face_embedder: Any = None,
        person_detector: Any = None,
        pose_model: Any = None,
        pose_vae: Any = None,
        background_removal: Any = None,
        options: Mapping[str, Any] | None = None,
        judge: Judge | None = None,
    ) -> io.NodeOutput:
        own = {"tries": tries, "max_yaw_error": max_yaw_error, "min_identity": min_identity}
        if person_detector is not None:
            check_detector(person_detector)
        if pose_model is None and pose_vae is not None:
            raise FacetError("A pose_vae is connected and no pose_model; connect both.")
        models = {
            "face_model": face_detection_model,
            "clip_vision": clip_vision,
            "face_embedder": face_embedder,
            "person_detector": person_detector,
            "pose_model": None if pose_model is None else PoseModel(pose_model, pose_vae),
            "background": background_removal,
        }
        given = {name: one for name, one in models.items() if one is not None}
        twice = [name for name in given if getattr(judge, name, None) is not None]
        if twice:
            called = {"face_model": "face_detection_model", "background": "background_removal"}
            raise FacetError(
                f"{called.get(twice[0], twice[0])} is connected here, and the judge that is "
                "connected has one too; disconnect one of the two."
            )
        looks = next(crop for crop in CROPS if crop == look_at)
        strict = settings(options, own)
        return io.NodeOutput(replace(judge or Judge(), **given, look_at=looks, options=strict))


NODES = [FacetJudge]
