"""ComfyUI's own classes told small numbers, so that files with few and narrow layers load.

Loaders read most widths from the files. What they take from a description instead is given here:
to text encoders as ComfyUI's own options, to diffusion models as their configurations, and to the
rest as arguments of the classes. No source is changed, and a name unknown to ComfyUI raises.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

CLIP_L = {"hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 2}
CLIP_L |= {"num_hidden_layers": 3, "projection_dim": 48}
CLIP_G = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2}
CLIP_G |= {"num_hidden_layers": 3, "projection_dim": 64}
T5 = {"num_layers": 1, "d_model": 48, "d_ff": 64, "d_kv": 16, "num_heads": 2}
# Of 512 tokens in 28 layers, each head that is 128 wide takes a tenth of a second.
QWEN3 = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 28}
QWEN3 |= {"num_attention_heads": 1, "num_key_value_heads": 1}
QWEN3VL = {"hidden_size": 40, "intermediate_size": 64, "num_hidden_layers": 36}
QWEN3VL |= {"num_attention_heads": 1, "num_key_value_heads": 1}
QWEN3VL_TOWER = {"hidden_size": 32, "intermediate_size": 64, "depth": 1}
QWEN3VL_TOWER |= {"deepstack_visual_indexes": [0]}
QWEN25 = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2}
# Four of the 128 wide keys are what ComfyUI knows the 7B model by.
QWEN25 |= {"num_attention_heads": 4, "num_key_value_heads": 4}
TEXT_OPTIONS = {
    "clip_l_model_config": CLIP_L,
    "clip_g_model_config": CLIP_G,
    "t5xxl_model_config": T5,
    "qwen3_4b_model_config": QWEN3,
    "qwen3vl_4b_model_config": QWEN3VL,
    "qwen25_7b_model_config": QWEN25,
}
"""What ComfyUI's text encoders take as `model_options`."""

TOWER = {"hidden_size": 64, "num_layers": 2, "intermediate_size": 128}
# ComfyUI knows a vision model by its 23rd layer.
VISION = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2}
VISION |= {"num_hidden_layers": 23}
# Four patches a side. At SigLIP's own 27 its attention alone took two thirds of each workflow.
VISION |= {"image_size": 56}
VISION_FILE = "clip_vision_siglip_384.json"
VAE_CHANNELS = 32
QWEN_IMAGE = {"num_attention_heads": 2, "joint_attention_dim": 48}
Z_IMAGE = {"dim": 256}
"""What ComfyUI knows the family by; the rest of it is in `harness.families`."""
SD15 = {"context_dim": 48, "model_channels": 32}
SDXL = {
    "model_channels": 64,
    "transformer_depth": [0, 0, 1, 1, 1, 1],
    "context_dim": 48 + 64,
    "adm_in_channels": 1536 + 64,
}


def vision_config() -> dict[str, Any]:
    """ComfyUI's description of SigLIP with the numbers of ``VISION``."""
    import comfy.clip_vision

    path = Path(comfy.clip_vision.__file__).parent / VISION_FILE
    return changed(json.loads(path.read_text("utf-8")), VISION)


def remover() -> Any:
    """What stands for ComfyUI's BiRefNet, of whose 220 million weights nothing says how many."""
    import torch

    class NarrowRemover(torch.nn.Module):
        def __init__(self, config: Any, dtype: Any, device: Any, operations: Any) -> None:
            super().__init__()
            self.decoder = operations.Conv2d(3, 1, 1, dtype=dtype, device=device)

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.decoder(pixel_values)

    return NarrowRemover


def changed(known: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """``known`` with other values. Raises AssertionError for one that it does not have."""
    assert known.keys() >= values.keys(), f"ComfyUI knows no {values.keys() - known.keys()}"
    return known | values


def narrow() -> None:
    """Tells the ComfyUI of this process the numbers above."""
    import comfy.bg_removal_model
    import comfy.clip_vision
    import comfy.ldm.modules.diffusionmodules.model as vae
    import comfy.model_detection
    import comfy.sd
    import comfy.supported_models as families
    import comfy.text_encoders.qwen3vl as qwen3vl
    import comfy.text_encoders.qwen_vl as qwen_vl

    families.SD15.unet_config = changed(families.SD15.unet_config, SD15)
    families.SDXL.unet_config = changed(families.SDXL.unet_config, SDXL)
    families.QwenImage.unet_extra_config = families.QwenImage.unet_extra_config | QWEN_IMAGE
    families.ZImage.unet_config = changed(families.ZImage.unet_config, Z_IMAGE)
    _given(vae.Encoder, ch=VAE_CHANNELS)
    _given(comfy.sd.CLIP, model_options=TEXT_OPTIONS)
    _given(comfy.clip_vision.ClipVisionModel, json_config=vision_config())
    _given(qwen_vl.Qwen2VLVisionTransformer, **TOWER)
    forward = qwen_vl.Qwen2VLVisionTransformer.forward

    def look_everywhere(self: Any, *given: Any, **more: Any) -> Any:
        self.fullatt_block_indexes = [TOWER["num_layers"] - 1]
        return forward(self, *given, **more)

    qwen_vl.Qwen2VLVisionTransformer.forward = look_everywhere
    comfy.bg_removal_model.BG_REMOVAL_MODELS["birefnet"] = remover()
    towers = qwen3vl.QWEN3VL_VISION
    towers["qwen3vl_4b"] = changed(towers["qwen3vl_4b"], QWEN3VL_TOWER)
    describe: Callable[..., Any] = comfy.model_detection.detect_unet_config

    def detect_unet_config(*given: Any, **more: Any) -> Any:
        found = describe(*given, **more)
        if (found or {}).get("dim") == Z_IMAGE["dim"] and found["image_model"] == "lumina2":
            from .families import ZIMAGE

            return {**ZIMAGE.config, **(ZIMAGE.narrow or {}), **found}
        return found

    comfy.model_detection.detect_unet_config = detect_unet_config
    detect: Callable[[Any], Any] = comfy.sd.detect_te_model

    def detect_te_model(weights: Any) -> Any:
        if "model.visual.deepstack_merger_list.0.norm.weight" in weights:
            return comfy.sd.TEModel.QWEN3VL_4B
        norm = weights.get("model.layers.0.post_attention_layernorm.weight")
        if norm is not None and len(norm) == QWEN3["hidden_size"]:
            return comfy.sd.TEModel.QWEN3_4B
        return detect(weights)

    comfy.sd.detect_te_model = detect_te_model


def _given(kind: type, **values: Any) -> None:
    """Has ``kind`` made with these arguments, whatever it is called with."""
    made: Callable[..., None] = kind.__init__  # type: ignore[misc]
    signature = inspect.signature(made)
    unknown = values.keys() - signature.parameters.keys()
    assert not unknown, f"{kind.__name__} takes no {unknown}"

    def make(self: Any, *given: Any, **more: Any) -> None:
        bound = signature.bind(self, *given, **more)
        for name, value in values.items():
            merged = isinstance(value, dict) and isinstance(bound.arguments.get(name), dict)
            bound.arguments[name] = bound.arguments[name] | value if merged else value
        made(*bound.args, **bound.kwargs)

    kind.__init__ = make  # type: ignore[misc]
