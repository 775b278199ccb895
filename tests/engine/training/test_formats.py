"""LoRA files: what core's loader makes of them, and what they say about themselves."""

from __future__ import annotations

import json
from pathlib import Path

import comfy.model_management
import comfy.sd
import pytest
import torch
from safetensors import safe_open

from facet.engine.character import Character
from facet.engine.training.exact import exact_gradients
from facet.engine.training.formats import (
    LoraWeights,
    UnusableLora,
    check_lora,
    lora_metadata,
    lora_names,
    lora_state_dict,
    read_lora,
)
from facet.engine.training.lora import adapters, target_modules
from facet.engine.training.memory import Precision, loaded
from facet.engine.training.settings import SUBJECTS, TrainingSettings, settings_from_record
from facet.engine.training.tensors import write_tensors
from harness.small_models import SmallModels


@pytest.fixture
def weights(models: SmallModels) -> LoraWeights:
    """Random adapters for every layer that is trained."""
    diffusion_model = models.model.model.diffusion_model
    generator = torch.Generator().manual_seed(2)
    made = {}
    for name in target_modules(diffusion_model):
        layer = diffusion_model.get_submodule(name)
        down = torch.randn(4, layer.in_features, generator=generator) * 0.1
        made[name] = (down, torch.randn(layer.out_features, 4, generator=generator) * 0.1)
    return made


@pytest.fixture
def path(models: SmallModels, weights: LoraWeights, tmp_path: Path) -> Path:
    names = lora_names(models.model.model, weights)
    file = tmp_path / "lora.safetensors"
    write_tensors(file, lora_state_dict(weights, names), {})
    return file


def predict(model: object, options: dict[str, object]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return model.apply_model(  # type: ignore[attr-defined, no-any-return]
        torch.randn(2, 16, 8, 8, generator=generator),
        torch.tensor([0.7, 0.2]),
        c_crossattn=torch.randn(2, 12, 32, generator=generator),
        y=torch.randn(2, 32, generator=generator),
        transformer_options=options,
    )


def test_every_attention_and_feed_forward_layer_is_adapted(models: SmallModels) -> None:
    stream = ("attn.proj", "attn.qkv", "mlp.0", "mlp.2")
    double = [f"double_blocks.0.{side}_{layer}" for side in ("img", "txt") for layer in stream]
    single = [f"single_blocks.{i}.linear{j}" for i in range(2) for j in (1, 2)]
    assert sorted(target_modules(models.model.model.diffusion_model)) == sorted(double + single)


def test_flux_has_the_names_of_kohya(models: SmallModels, weights: LoraWeights) -> None:
    names = lora_names(models.model.model, weights)
    state = lora_state_dict(weights, names)
    base = "lora_unet_double_blocks_0_img_attn_qkv"
    assert state[f"{base}.lora_down.weight"].shape == (4, 128)
    assert state[f"{base}.lora_up.weight"].shape == (384, 4)
    assert float(state[f"{base}.alpha"]) == 4
    assert len(state) == 3 * len(weights)


def test_strength_one_in_core_is_the_model_with_its_adapters(
    models: SmallModels, weights: LoraWeights, path: Path
) -> None:
    diffusion_model = models.model.model.diffusion_model
    with (
        torch.inference_mode(False),
        loaded(models.model, (2, 16, 8, 8), Precision()) as options,
        adapters(diffusion_model, tuple(weights), rank=4, seed=0) as made,
        exact_gradients(diffusion_model),
        torch.no_grad(),
    ):
        for adapter in made:
            down, up = weights[adapter.module]
            adapter.down.copy_(down)
            adapter.up.copy_(up)
        in_place = predict(models.model.model, options)
        without = in_place - predict_without(models)
    patched, _ = comfy.sd.load_lora_for_models(models.model, None, read_lora(path), 1.0, 0.0)
    comfy.model_management.load_models_gpu([patched])
    with torch.inference_mode():
        by_core = predict(patched.model, {})
    comfy.model_management.load_models_gpu([models.model])
    assert float((by_core - in_place).abs().max()) < 1e-4
    assert float(without.abs().max()) > 0.1


def predict_without(models: SmallModels) -> torch.Tensor:
    from harness.small_models import small_flux

    other = small_flux()
    comfy.model_management.load_models_gpu([other])
    return predict(other.model, {})


def test_a_good_file_passes_its_check(
    models: SmallModels, weights: LoraWeights, path: Path
) -> None:
    check_lora(path, models.model.model, weights)


def test_a_file_that_changes_nothing_fails_its_check(
    models: SmallModels, weights: LoraWeights, path: Path
) -> None:
    idle = {name: value * ("lora_up" not in name) for name, value in read_lora(path).items()}
    write_tensors(path, idle, {})
    with pytest.raises(UnusableLora, match="would change nothing"):
        check_lora(path, models.model.model, weights)


@pytest.mark.parametrize("change", ["stray", "missing", "nan"])
def test_a_file_that_core_would_not_load_whole_fails_its_check(
    models: SmallModels, weights: LoraWeights, path: Path, change: str
) -> None:
    state = read_lora(path)
    base = "lora_unet_single_blocks_1_linear2"
    if change == "nan":
        state[f"{base}.lora_up.weight"] *= float("nan")
    else:
        moved = {key: state.pop(key) for key in list(state) if key.startswith(base)}
        if change == "stray":
            state |= {key.replace("blocks_1", "blocks_9"): moved[key] for key in moved}
    write_tensors(path, state, {})
    with pytest.raises(UnusableLora):
        check_lora(path, models.model.model, weights)


def test_the_file_tells_where_it_comes_from(
    models: SmallModels, character: Character, weights: LoraWeights, tmp_path: Path
) -> None:
    settings = TrainingSettings(steps=9, rank=4, subject=SUBJECTS[1])
    metadata = lora_metadata(models.model.model, character, settings, "ada_run", 9)
    path = tmp_path / "lora.safetensors"
    state = lora_state_dict(weights, lora_names(models.model.model, weights))
    write_tensors(path, state, metadata)
    with safe_open(path, "pt") as file:
        told = file.metadata()
    assert told == metadata
    assert told["facet.trigger"] == "zqx"
    assert told["facet.dataset_hash"] == character.hash
    assert told["facet.subject"] == "synthetic character"
    assert told["ss_network_dim"] == "4" and told["ss_network_alpha"] == "4.0"
    assert told["modelspec.trigger_phrase"] == "zqx person"
    assert told["modelspec.architecture"].endswith("/lora")
    assert len(json.loads(told["facet.pictures"])) == 4
    assert settings_from_record(json.loads(told["facet.settings"])) == settings
