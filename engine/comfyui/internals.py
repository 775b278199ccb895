"""What of ComfyUI Facet uses beyond its public interface: reached here, and nowhere else.

Where a version has moved or dropped a part, a sentence says so once the part is needed.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..core.errors import FacetError

PARTS = {
    "ControlNetApplyAdvanced": ("nodes", "a pose through a ControlNet"),
    "SDPoseKeypointExtractor": ("comfy_extras.nodes_sdpose", "poses"),
    "transformation_matrix_from_detection": (
        "comfy_extras.mediapipe.face_geometry",
        "the direction that a face looks in",
    ),
    "COCO_CLASSES": ("comfy.ldm.rt_detr.rtdetr_v4", "finding people"),
    "attention_pytorch": ("comfy.ldm.modules.attention", "training"),
    "ck": ("comfy.quant_ops", "training"),
    "rope": ("comfy_kitchen.backends.eager", "training"),
    "PatcherInjection": ("comfy.patcher_extension", "samples while training"),
    "CLIPAttention": ("comfy.clip_model", "training a text encoder"),
    "CLIPTextModel": ("comfy.clip_model", "training a text encoder"),
    "convert_lora": ("comfy.lora_convert", "reading LoRAs"),
    "ClipTarget": ("comfy.supported_models_base", "the demo models"),
    "SD1Tokenizer": ("comfy.sd1_clip", "the demo models"),
    "SDTokenizer": ("comfy.sd1_clip", "the demo models"),
}
"""Where each part is, and what needs it."""


def internal(name: str) -> Any:
    """The part of ComfyUI called ``name``; FacetError when this version has none."""
    module, use = PARTS[name]
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise FacetError(
            f"This version of ComfyUI has no {module}.{name}, which is needed for {use}; use one "
            "that Facet is tested with, as its README says, or a newer Facet."
        ) from error
