import pytest
import torch

from facet.engine.comfyui.lora import with_lora
from harness.small_models import SmallModels, small_models

QKV = "lora_unet_double_blocks_0_img_attn_qkv"


@pytest.fixture(scope="module")
def models() -> SmallModels:
    return small_models()


def lora(name: str = QKV, rows: int = 384, columns: int = 128) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        f"{name}.lora_up.weight": torch.randn(rows, 4, generator=generator),
        f"{name}.lora_down.weight": torch.randn(4, columns, generator=generator),
        f"{name}.alpha": torch.tensor(4.0),
    }


def test_the_lora_lands_on_a_clone_and_the_model_is_left_alone(models):
    patched, _ = with_lora(models.model, models.clip, lora(), 0.5)
    assert len(patched.patches) == 1 and not models.model.patches


def test_a_lora_for_the_text_encoder_lands_there(models):
    name = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    patched, clip = with_lora(models.model, models.clip, {**lora(), **lora(name, 32, 32)}, 1.0)
    assert len(patched.patches) == 1 and len(clip.patcher.patches) == 1


@pytest.mark.parametrize(
    ("strange", "sentence"),
    [
        (lora("lora_unet_double_blocks_7_img_attn_qkv"), "do not belong to this model"),
        ({**lora(), "lora_unet_nothing.lora_up.weight": torch.zeros(1)}, "1 of the LoRA's 4"),
        (lora(rows=96), "another shape"),
        (lora(columns=64), "another shape"),
        ({}, "do not belong"),
    ],
)
def test_a_lora_of_another_model_is_an_error_and_not_a_warning(models, strange, sentence):
    with pytest.raises(ValueError, match=sentence):
        with_lora(models.model, models.clip, strange, 1.0)
