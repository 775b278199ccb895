"""A copy of ComfyUI whose descriptions of published models say small numbers.

Its loaders go by what files hold and by these descriptions; nothing else in it is changed. With it,
files with few and narrow layers load through ComfyUI's own nodes, under any name, as the published
ones do.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

NOT_COPIED = {"models", "output", "input", "user", "custom_nodes", "tests", "tests-unit", ".git"}

CLIP_L = {"hidden_size": 48, "intermediate_size": 96, "num_attention_heads": 2}
CLIP_G = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2}
VISION = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2}
TEXT_LAYERS = {"num_hidden_layers": 3}
CLIP_L_FILE = "comfy/sd1_clip_config.json"
CLIP_G_FILE = "comfy/clip_config_bigg.json"
T5_FILE = "comfy/text_encoders/t5_config_xxl.json"
VISION_FILE = "comfy/clip_vision_siglip_384.json"
JSON_FILES: dict[str, dict[str, Any]] = {
    CLIP_L_FILE: CLIP_L | TEXT_LAYERS | {"projection_dim": 48},
    CLIP_G_FILE: CLIP_G | TEXT_LAYERS | {"projection_dim": 64},
    T5_FILE: {"num_layers": 1, "d_model": 48, "d_ff": 64, "d_kv": 16, "num_heads": 2},
    VISION_FILE: VISION | TEXT_LAYERS,
}

QWEN3 = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 28}
QWEN3 |= {"num_attention_heads": 2, "num_key_value_heads": 1}
QWEN25 = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2}
# Four of the 128 wide keys are what ComfyUI knows the 7B model by.
QWEN25 |= {"num_attention_heads": 4, "num_key_value_heads": 4}
TOWER = {"num_layers": 2, "intermediate_size": 128}
TOWER_WIDTH = 64
SDXL = {
    "model_channels": 64,
    "transformer_depth": [0, 0, 1, 1, 1, 1],
    "context_dim": 48 + 64,
    "adm_in_channels": 1536 + 64,
}
CLASSES: dict[tuple[str, str], dict[str, Any]] = {
    ("comfy/text_encoders/llama.py", "Qwen3_4BConfig"): QWEN3,
    ("comfy/text_encoders/llama.py", "Qwen25_7BVLI_Config"): QWEN25,
    ("comfy/text_encoders/qwen_vl.py", "Qwen2VLVisionTransformer"): TOWER,
    ("comfy/ldm/qwen_image/model.py", "QwenImageTransformer2DModel"): {
        "num_attention_heads": 2,
        "joint_attention_dim": 48,
    },
    ("comfy/supported_models.py", "SD15"): {"context_dim": 48, "model_channels": 32},
    ("comfy/supported_models.py", "SDXL"): SDXL,
}
"""The first number of each name in a class, which is the default or the description."""

VAE_CHANNELS = 32
QWEN3_KNOWN_BY = "== {}:\n                return TEModel.QWEN3_4B"
PHRASES = {
    "comfy/sd.py": {
        "'ch': 128": f"'ch': {VAE_CHANNELS}",
        QWEN3_KNOWN_BY.format(2560): QWEN3_KNOWN_BY.format(QWEN3["hidden_size"]),
    },
    "comfy/clip_vision.py": {
        "layers.22.layer_norm1": "layers.2.layer_norm1",
        "shape[0] == 1152": "shape[0] == 64",
    },
    "comfy/text_encoders/llama.py": {
        "hidden_size=1280, output_hidden_size": f"hidden_size={TOWER_WIDTH}, output_hidden_size"
    },
    "comfy/text_encoders/qwen_vl.py": {"[7, 15, 23, 31]": "[1]"},
}


def narrow_comfyui(comfyui: Path, folder: Path) -> Path:
    """A copy of ``comfyui`` in ``folder`` for narrow files.

    Raises AssertionError when ComfyUI describes a model otherwise than is known here.
    """
    shutil.copytree(
        comfyui,
        folder,
        ignore=lambda parent, _: NOT_COPIED if Path(parent) == comfyui else set(),
    )
    for name, values in JSON_FILES.items():
        path = folder / name
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")
    for (name, kind), values in CLASSES.items():
        path = folder / name
        path.write_text(_in_class(path.read_text("utf-8"), kind, values), "utf-8")
    for name, phrases in PHRASES.items():
        text = (folder / name).read_text("utf-8")
        for old, new in phrases.items():
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new)
        (folder / name).write_text(text, "utf-8")
    return folder


def _in_class(text: str, kind: str, values: dict[str, Any]) -> str:
    head = re.search(rf"^class {kind}\b", text, re.MULTILINE)
    assert head is not None, f"there is no class {kind}"
    before, body = text[: head.start()], text[head.start() :]
    for name, value in values.items():
        body, count = re.subn(
            rf"(\b{name}\b\"?(?:: int)? ?[=:] ?)(\d+|\[[\d, ]+\])", rf"\g<1>{value}", body, count=1
        )
        assert count, f"{kind} has no {name}"
    return before + body
