"""LoRA files from elsewhere as the start of a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from facet.engine.training.files.existing import read_adapters, start_from, with_layers_of
from facet.engine.training.files.formats import lora_names, lora_state_dict
from facet.engine.training.model.lora import Adapter, adapters
from facet.engine.training.model.targets import target_modules
from harness.families import FAMILIES, Family

Narrow = tuple[Family, Any]
Tensors = dict[str, torch.Tensor]
RANK = 3

QKV = "double_blocks.0.img_attn.qkv"


def adapted(narrow: Narrow, rank: int, kind: str = "LoRA", alpha: float = 0.0) -> Any:
    network = narrow[1].model.diffusion_model
    return adapters(network, target_modules(network), rank, 1, None, kind, alpha)


@pytest.fixture(autouse=True)
def trainable() -> Iterator[None]:
    with torch.inference_mode(False):
        yield


@pytest.fixture
def written(narrow: Narrow, tmp_path: Path) -> Callable[..., tuple[Path, dict[str, Tensors]]]:
    """Writes a random adapter as a file of ours, keys changed by ``rename``."""

    def write(
        rename: Callable[[str], str] = str, kind: str = "LoRA", alpha: float = 0.0
    ) -> tuple[Path, dict[str, Tensors]]:
        with adapted(narrow, RANK, kind, alpha) as made:
            layers = {}
            for one in made:
                drawn = {n: torch.rand_like(v.detach()) for n, v in one.parameters().items()}
                layers[one.module] = one.file_tensors(drawn)
        state = lora_state_dict(layers, lora_names(narrow[1].model, layers))
        path = tmp_path / "given.safetensors"
        save_file({rename(key): value for key, value in state.items()}, path)
        return path, layers

    return write


def change(adapter: Adapter) -> torch.Tensor:
    """What an adapter adds to its layer's weight."""
    scale = (adapter.alpha or 0.0) / len(adapter.values["lora_down.weight"])
    return (
        scale
        * adapter.values["lora_up.weight"].detach()
        @ adapter.values["lora_down.weight"].detach()
    )


def change_of(tensors: Tensors) -> torch.Tensor:
    down, up = tensors["lora_down.weight"], tensors["lora_up.weight"]
    return float(tensors["alpha"]) / len(down) * up @ down


def as_peft(key: str) -> str:
    key = key.replace("diffusion_model.", "base_model.model.")
    return key.replace(".lora_A.", ".lora_A.default.").replace(".lora_B.", ".lora_B.default.")


@pytest.mark.parametrize("narrow", FAMILIES, indirect=True)
@pytest.mark.parametrize("rank", [RANK, RANK + 2])
def test_our_own_file_is_what_it_was(narrow: Narrow, written: Any, rank: int) -> None:
    """A larger rank starts with the same change of the weights."""
    path, layers = written()
    with adapted(narrow, rank) as made:
        start_from(path, narrow[1].model, made)
        for adapter in made:
            assert torch.allclose(change(adapter), change_of(layers[adapter.module]), atol=1e-5)
            assert bool(adapter.values["lora_down.weight"].any(1).all()), (
                "what is left of the rank can still learn"
            )


@pytest.mark.parametrize("narrow", ["Flux", "Z-Image"], indirect=True)
def test_alpha_is_kept(narrow: Narrow, written: Any) -> None:
    path, layers = written(alpha=6.0)
    with adapted(narrow, RANK, alpha=1.5) as made:
        start_from(path, narrow[1].model, made)
        for adapter in made:
            assert torch.allclose(change(adapter), change_of(layers[adapter.module]), atol=1e-5)


@pytest.mark.parametrize("narrow", ["Qwen-Image", "Z-Image", "Krea 2"], indirect=True)
def test_keys_of_peft_are_read(narrow: Narrow, written: Any) -> None:
    path, layers = written(as_peft)
    found = read_adapters(path, narrow[1].model, layers)
    assert found.keys() == layers.keys()
    for module, tensors in found.items():
        assert torch.allclose(change_of(tensors), change_of(layers[module]), atol=1e-5)


@pytest.mark.parametrize("narrow", ["SD 1.5"], indirect=True)
def test_keys_of_diffusers_are_read_for_a_unet(narrow: Narrow, tmp_path: Path) -> None:
    module = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"
    key = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    down, up = torch.rand(2, 32), torch.rand(32, 2)
    path = tmp_path / "given.safetensors"
    save_file({f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up}, path)
    ((found, tensors),) = read_adapters(path, narrow[1].model, [module]).items()
    assert found == module
    assert torch.allclose(change_of(tensors), up @ down)


@pytest.mark.parametrize("narrow", ["Flux"], indirect=True)
def test_layers_that_diffusers_has_in_parts_are_joined(narrow: Narrow, tmp_path: Path) -> None:
    base = "transformer.transformer_blocks.0.attn"
    state, rows = {}, []
    for part in ("to_q", "to_v"):
        down, up = torch.rand(2, 256), torch.rand(256, 2)
        state |= {f"{base}.{part}.lora_A.weight": down, f"{base}.{part}.lora_B.weight": up}
        rows.append(up @ down)
    path = tmp_path / "given.safetensors"
    save_file(state, path)
    with adapted(narrow, 4) as made:
        start_from(path, narrow[1].model, made)
        (qkv,) = [adapter for adapter in made if adapter.module == QKV]
        expected = torch.cat((rows[0], torch.zeros(256, 256), rows[1]))
        assert torch.allclose(change(qkv), expected, atol=1e-5)
        others = [adapter for adapter in made if adapter is not qkv]
        assert others and not any(
            bool(adapter.values["lora_up.weight"].any()) for adapter in others
        )
    with adapted(narrow, 3) as made, pytest.raises(ValueError, match="set rank to 4 or more"):
        start_from(path, narrow[1].model, made)


@pytest.mark.parametrize("narrow", ["Flux"], indirect=True)
@pytest.mark.parametrize("kind", ["DoRA", "rsLoRA", "LoKr", "LoHa"])
def test_each_kind_of_adapter_goes_on_in_its_own(narrow: Narrow, written: Any, kind: str) -> None:
    path, layers = written(kind=kind)
    with adapted(narrow, RANK, kind) as made:
        start_from(path, narrow[1].model, made)
        for adapter in made:
            again = adapter.file_tensors(dict(adapter.parameters()))
            assert again.keys() == layers[adapter.module].keys()
            for name, tensor in layers[adapter.module].items():
                assert torch.allclose(again[name], tensor, atol=1e-6), name
    other = "LoRA" if kind in ("LoKr", "LoHa", "DoRA") else "LoHa"
    with adapted(narrow, RANK, other) as made, pytest.raises(ValueError, match="another kind"):
        start_from(path, narrow[1].model, made)


@pytest.mark.parametrize("narrow", ["Flux"], indirect=True)
def test_layers_that_other_trainers_take_in_are_trained_as_well(
    narrow: Narrow, tmp_path: Path
) -> None:
    network = narrow[1].model.diffusion_model
    key = "lora_unet_double_blocks_0_img_mod_lin"
    path = tmp_path / "given.safetensors"
    tensors = {"lora_down.weight": torch.rand(2, 256), "lora_up.weight": torch.rand(1536, 2)}
    save_file({f"{key}.{end}": value for end, value in tensors.items()}, path)
    targets = target_modules(network)
    with pytest.raises(ValueError, match=r"changes double_blocks\.0\.img_mod\.lin, which is not"):
        read_adapters(path, narrow[1].model, targets)
    wider = with_layers_of(path, narrow[1].model, targets)
    assert set(wider) == {*targets, "double_blocks.0.img_mod.lin"}
    assert read_adapters(path, narrow[1].model, wider).keys() == {"double_blocks.0.img_mod.lin"}


@pytest.mark.parametrize("narrow", ["Flux"], indirect=True)
@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("lora_unet_input_blocks_4_1_x", "does not belong to Flux: 2 of its entries match none"),
        ("lora_te_text_model_encoder_layers_0_mlp_fc1", "changes the text encoder as well"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    narrow: Narrow, tmp_path: Path, key: str, sentence: str
) -> None:
    path = tmp_path / "given.safetensors"
    ends = ("lora_down.weight", "lora_up.weight")
    save_file({f"{key}.{end}": torch.rand(2, 2) for end in ends}, path)
    with pytest.raises(ValueError, match=sentence):
        read_adapters(path, narrow[1].model, [QKV])


@pytest.mark.parametrize("narrow", ["Flux"], indirect=True)
def test_a_file_that_is_no_lora_is_refused(narrow: Narrow, tmp_path: Path) -> None:
    path = tmp_path / "given.safetensors"
    path.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"^continue_from: given\.safetensors cannot be read"):
        with_layers_of(path, narrow[1].model, (QKV,))
