"""Images by text alone: each text is encoded once by each CLIP that reads it otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch

from facet.engine.comfyui import lora_camera
from facet.engine.comfyui.lora_camera import LoraCamera
from facet.engine.comfyui.models import Models
from facet.engine.comfyui.sampling import Conditioning, Sampling, encode_prompt
from harness.small_models import SmallModels, small_models

LAYER = "lora_unet_double_blocks_0_img_attn_qkv"
OF_THE_CLIP = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
SAMPLING = Sampling(steps=1, cfg=2.0, width=64, height=64)


@pytest.fixture(scope="module")
def models() -> SmallModels:
    with torch.inference_mode():
        return small_models()


def lora(*layers: tuple[str, int, int]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    made = {}
    for name, rows, columns in layers:
        made[f"{name}.lora_up.weight"] = torch.randn(rows, 4, generator=generator)
        made[f"{name}.lora_down.weight"] = torch.randn(4, columns, generator=generator)
    return made


@pytest.mark.parametrize(
    ("layers", "times"),
    [
        pytest.param([(LAYER, 384, 128)], 1, id="of the model"),
        pytest.param([(LAYER, 384, 128), (OF_THE_CLIP, 32, 32)], 3, id="of both"),
    ],
)
def test_a_text_is_encoded_once_for_all_that_read_it_alike(
    models: SmallModels,
    monkeypatch: pytest.MonkeyPatch,
    layers: list[tuple[str, int, int]],
    times: int,
) -> None:
    counted: Counter[str] = Counter()

    def counting(clip: Any, text: str, *given: Any) -> Conditioning:
        counted[text] += 1
        return encode_prompt(clip, text, *given)

    monkeypatch.setattr(lora_camera, "encode_prompt", counting)
    given = Models(models.model, models.clip, models.vae)
    shared: dict[tuple[Any, str], Conditioning] = {}
    with torch.inference_mode():
        apart = [LoraCamera(given, SAMPLING, one) for one in (None, lora(*layers))]
        wanted = [one.image("zqx person", "blurry", 3, 0.8) for one in apart]
        counted.clear()
        for camera in (None, lora(*layers)):
            one = LoraCamera(given, SAMPLING, camera, shared)
            made = [one.image("zqx person", "blurry", seed, s) for seed in (3, 4) for s in (0.8, 1)]
            assert torch.equal(made[0], wanted.pop(0))
    assert counted == {"zqx person": times, "blurry": times}
