"""The files that a workflow for Flux dev asks for, with random weights, and a ComfyUI for them.

Every tensor has its true shape. What is reduced: the transformer has one double and one single
block of 19 and 38, and T5-XXL one layer of 24, for which the copied ComfyUI's own description of
T5-XXL says 1 (`t5_config_xxl.json`, the only thing in it that is changed: its loader knows no other
depth). CLIP-L and the VAE have all their layers.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import comfy.clip_model
import comfy.ldm.models.autoencoder as autoencoder
import comfy.ops
import comfy.text_encoders.t5
import torch
from safetensors.torch import save_file

from harness.families import FLUX_DEV, family_weights, random_like

T5_LAYERS = 1
VAE = {
    "double_z": True,
    "z_channels": 16,
    "resolution": 256,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 128,
    "ch_mult": [1, 2, 4, 4],
    "num_res_blocks": 2,
    "attn_resolutions": [],
    "dropout": 0.0,
}
PARTS = "comfy.ldm.modules.diffusionmodules.model"


def copy_comfyui(comfyui: Path, folder: Path) -> Path:
    """A copy of ComfyUI in ``folder`` whose T5-XXL has one layer."""
    shutil.copytree(
        comfyui,
        folder,
        ignore=lambda parent, names: (
            {"models", "output", "input", "user", "custom_nodes", "tests", "tests-unit", ".git"}
            if Path(parent) == comfyui
            else set()
        ),
    )
    path = folder / "comfy" / "text_encoders" / "t5_config_xxl.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_layers": T5_LAYERS}))
    return folder


def write_models(comfyui: Path, models: Path, names: dict[str, str]) -> None:
    """Writes the files below ``models``; ``names``: of flux, clip_l, t5xxl and vae."""
    for kind, weights in (
        ("flux", family_weights(FLUX_DEV, torch.bfloat16)),
        ("clip_l", random_like(_clip(comfyui), 1, torch.float16)),
        ("t5xxl", random_like(_t5(comfyui), 2, torch.float16)),
        ("vae", random_like(_vae(), 3, torch.float32)),
    ):
        path = models / names[kind]
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(weights, path)


def _clip(comfyui: Path) -> torch.nn.Module:
    config = _described(comfyui / "comfy" / "sd1_clip_config.json")
    return comfy.clip_model.CLIPTextModel(
        config, torch.float16, "meta", comfy.ops.disable_weight_init
    )


def _t5(comfyui: Path) -> torch.nn.Module:
    config = _described(comfyui / "comfy" / "text_encoders" / "t5_config_xxl.json")
    return comfy.text_encoders.t5.T5(config, torch.float16, "meta", comfy.ops.disable_weight_init)


def _vae() -> torch.nn.Module:
    with torch.device("meta"):
        return autoencoder.AutoencodingEngine(
            regularizer_config={
                "target": "comfy.ldm.models.autoencoder.DiagonalGaussianRegularizer"
            },
            encoder_config={"target": f"{PARTS}.Encoder", "params": VAE},
            decoder_config={"target": f"{PARTS}.Decoder", "params": VAE},
        )


def _described(path: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(path.read_text())
    return config
