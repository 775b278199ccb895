"""LoRA files: what core's loader makes of them, and what they say about themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import comfy.sd
import pytest
import torch
from safetensors import safe_open

from facet.engine.comfyui.lora import read_weights
from facet.engine.core.character import Character
from facet.engine.store.tensors import write_tensors
from facet.engine.training.files.formats import (
    LayerTensors,
    UnusableLora,
    check_lora,
    lora_metadata,
    lora_names,
    lora_state_dict,
)
from facet.engine.training.files.names import LoraName
from facet.engine.training.model.loading import Precision, loaded
from facet.engine.training.model.lora import adapters
from facet.engine.training.model.targets import target_modules
from facet.engine.training.settings import (
    ADAPTERS,
    SUBJECTS,
    TrainingSettings,
)
from harness.families import FAMILIES, Family
from harness.gradients import prepared
from harness.small_models import SmallModels

Layers = dict[str, LayerTensors]


@pytest.fixture
def weights(models: SmallModels) -> Layers:
    """Random adapters for every layer that is trained."""
    diffusion_model = models.model.model.diffusion_model
    generator = torch.Generator().manual_seed(2)
    made = {}
    for name in target_modules(diffusion_model):
        layer = diffusion_model.get_submodule(name)
        down = torch.randn(4, layer.in_features, generator=generator) * 0.1
        up = torch.randn(layer.out_features, 4, generator=generator) * 0.1
        alpha = torch.tensor(4.0)
        made[name] = {"lora_down.weight": down, "lora_up.weight": up, "alpha": alpha}
    return made


@pytest.fixture
def path(models: SmallModels, weights: Layers, tmp_path: Path) -> Path:
    names = lora_names(models.model.model, weights)
    file = tmp_path / "lora.safetensors"
    write_tensors(file, lora_state_dict(weights, names), {})
    return file


def test_every_attention_and_feed_forward_layer_is_adapted(models: SmallModels) -> None:
    stream = ("attn.proj", "attn.qkv", "mlp.0", "mlp.2")
    double = [f"double_blocks.0.{side}_{layer}" for side in ("img", "txt") for layer in stream]
    single = [f"single_blocks.{i}.linear{j}" for i in range(2) for j in (1, 2)]
    assert sorted(target_modules(models.model.model.diffusion_model)) == sorted(double + single)


def test_flux_has_the_names_of_kohya(models: SmallModels, weights: Layers) -> None:
    names = lora_names(models.model.model, weights)
    state = lora_state_dict(weights, names)
    base = "lora_unet_double_blocks_0_img_attn_qkv"
    assert state[f"{base}.lora_down.weight"].shape == (4, 128)
    assert state[f"{base}.lora_up.weight"].shape == (384, 4)
    assert float(state[f"{base}.alpha"]) == 4
    assert len(state) == 3 * len(weights)


@pytest.mark.parametrize("narrow", FAMILIES, indirect=True)
def test_strength_one_in_core_is_the_model_with_its_adapters(
    narrow: tuple[Family, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    family, patcher = narrow
    model = patcher.model
    side = 2 * family.factor
    with prepared(patcher, family, ((side, side),)) as (problem, made), torch.no_grad():
        in_place = problem.predict()
        layers = {one.module: one.file_tensors(one.parameters()) for one in made}
        layers = {name: {k: v.clone() for k, v in one.items()} for name, one in layers.items()}
        for adapter in made:
            adapter.values["lora_up.weight"].zero_()
        without = problem.predict()
    path = tmp_path / "lora.safetensors"
    write_tensors(path, lora_state_dict(layers, lora_names(model, layers)), {})
    check_lora(path, model, layers)
    with caplog.at_level("WARNING"):
        patched, _ = comfy.sd.load_lora_for_models(patcher, None, read_weights(path), 1.0, 0.0)
    assert "not loaded" not in caplog.text
    with torch.inference_mode(), loaded(patched, (1, 4, side, side), Precision(torch.float32)):
        by_core = problem.predict()
    patched.detach()
    change = (in_place - without).norm()
    assert change > 1e-3 * without.norm()
    assert (by_core - in_place).norm() < 1e-3 * change


def test_a_scale_is_in_alpha_or_in_the_weights(models: SmallModels, weights: Layers) -> None:
    name = "single_blocks.0.linear2"
    layers = {name: {**weights[name], "alpha": torch.tensor(2.0)}}
    kohya = lora_state_dict(layers, {name: LoraName("lora_unet_x")})
    assert float(kohya["lora_unet_x.alpha"]) == 2
    plain = lora_state_dict(layers, {name: LoraName("diffusion_model.x")})
    assert set(plain) == {"diffusion_model.x.lora_A.weight", "diffusion_model.x.lora_B.weight"}
    assert torch.equal(
        plain["diffusion_model.x.lora_B.weight"], weights[name]["lora_up.weight"] / 2
    )


@pytest.mark.parametrize("narrow", ["Flux", "Z-Image"], indirect=True)
@pytest.mark.parametrize("kind", [kind for kind in ADAPTERS if kind != "LoRA"])
def test_other_adapters_load_back_whole(
    narrow: tuple[Family, Any], kind: str, tmp_path: Path
) -> None:
    _, patcher = narrow
    diffusion_model = patcher.model.diffusion_model
    targets = target_modules(diffusion_model)
    with torch.inference_mode(False), adapters(diffusion_model, targets, 4, 0, None, kind) as made:
        values = [torch.rand_like(value) for one in made for value in one.parameters().values()]
        drawn = iter(values)
        layers = {
            one.module: one.file_tensors({name: next(drawn) for name in one.parameters()})
            for one in made
        }
    path = tmp_path / "lora.safetensors"
    state = lora_state_dict(layers, lora_names(patcher.model, layers))
    write_tensors(path, state, {})
    check_lora(path, patcher.model, targets)
    assert sum(value.numel() for value in state.values()) >= sum(v.numel() for v in values)


def test_a_good_file_passes_its_check(models: SmallModels, weights: Layers, path: Path) -> None:
    check_lora(path, models.model.model, weights)


def test_a_file_that_changes_nothing_fails_its_check(
    models: SmallModels, weights: Layers, path: Path
) -> None:
    idle = {name: value * ("lora_up" not in name) for name, value in read_weights(path).items()}
    write_tensors(path, idle, {})
    with pytest.raises(UnusableLora, match="would change nothing"):
        check_lora(path, models.model.model, weights)


@pytest.mark.parametrize("change", ["stray", "missing", "nan"])
def test_a_file_that_core_would_not_load_whole_fails_its_check(
    models: SmallModels, weights: Layers, path: Path, change: str
) -> None:
    state = read_weights(path)
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
    models: SmallModels, character: Character, weights: Layers, tmp_path: Path
) -> None:
    settings = TrainingSettings(steps=9, rank=4, subject=SUBJECTS[1])
    metadata = lora_metadata(models.model.model, character, settings, "ada_run", 9, "f00d")
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
    assert TrainingSettings(**json.loads(told["facet.settings"])) == settings


def test_a_file_with_plain_keys_says_that_it_is_a_plain_lora(
    models: SmallModels, character: Character
) -> None:
    """Whoever merges it goes by the module and by the alpha that stand there."""
    settings = TrainingSettings(rank=4, adapter="rsLoRA")
    told = lora_metadata(models.model.model, character, settings, "Ada", 3, "f00d")
    assert told["ss_network_module"] == "networks.lora" and told["ss_network_args"] == "{}"
    network = models.model.model.diffusion_model
    with adapters(network, target_modules(network), 4, 1, kind="rsLoRA") as (first, *_):
        assert first.alpha == float(told["ss_network_alpha"]) == 8.0
