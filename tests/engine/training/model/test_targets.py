"""Which layers are trained: by preset in each family, and by pattern."""

from __future__ import annotations

import comfy.model_base
import pytest
import torch

from facet.engine.training.model.targets import target_modules, transformer_blocks
from harness.small_models import small_flux, small_unet


@pytest.fixture(scope="module")
def flux() -> torch.nn.Module:
    model: torch.nn.Module = small_flux(single=1).model.diffusion_model
    return model


@pytest.fixture(scope="module")
def unet() -> torch.nn.Module:
    model: torch.nn.Module = small_unet(comfy.model_base.ModelType.EPS).model.diffusion_model
    return model


def test_attention_alone_leaves_the_feed_forward_out(
    flux: torch.nn.Module, unet: torch.nn.Module
) -> None:
    names = target_modules(flux, "attention")
    assert "double_blocks.0.img_attn.qkv" in names
    # Attention and feed-forward in one layer.
    assert "single_blocks.0.linear1" in names
    assert not [name for name in names if "mlp" in name]
    names = target_modules(unet, "attention")
    assert "input_blocks.1.1.transformer_blocks.0.attn2.to_k" in names
    assert not [name for name in names if ".ff." in name]


@pytest.mark.parametrize("family", ["flux", "unet"])
def test_attention_and_mlp_are_all_linear_layers_of_these(
    request: pytest.FixtureRequest, family: str
) -> None:
    model = request.getfixturevalue(family)
    assert target_modules(model, "attention and MLP") == target_modules(model)


def test_convolutions_are_trained_when_asked_for(unet: torch.nn.Module) -> None:
    more = set(target_modules(unet, "linear layers and convolutions"))
    more -= set(target_modules(unet))
    assert "input_blocks.1.0.in_layers.2" in more
    assert "input_blocks.1.1.proj_in" in more
    assert not more & {"input_blocks.0.0", "out.2"}
    modules = dict(unet.named_modules())
    assert all(isinstance(modules[name], torch.nn.Conv2d) for name in more)


def test_a_pattern_chooses_and_leaves_out(flux: torch.nn.Module) -> None:
    names = target_modules(flux, pattern="double_blocks.*.img_attn.*, -*.qkv")
    assert names == ("double_blocks.0.img_attn.proj",)
    names = target_modules(flux, "attention", "-single_blocks.*")
    assert names and not [name for name in names if name.startswith("single")]
    # Also what no preset takes.
    assert target_modules(flux, pattern="img_in") == ("img_in",)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("blocks.*", "matches no layer of Flux; its layers have names such as double_blocks.0"),
        ("-double_blocks.*.nothing", "matches no layer"),
        ("-*", "leaves no layer of Flux to train; exclude fewer"),
    ],
)
def test_a_pattern_that_leaves_nothing_is_told(
    flux: torch.nn.Module, pattern: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        target_modules(flux, pattern=pattern)


def test_a_model_without_blocks_is_told() -> None:
    with pytest.raises(ValueError, match="Linear has no transformer blocks"):
        target_modules(torch.nn.Linear(2, 2))


def test_every_target_is_in_one_block_and_no_block_in_another(unet: torch.nn.Module) -> None:
    targets = target_modules(unet, "linear layers and convolutions")
    names = {id(module): name for name, module in unet.named_modules()}
    blocks = [names[id(block)] for block in transformer_blocks(unet, targets)]
    assert "input_blocks.1.0" in blocks
    assert "input_blocks.1.1.transformer_blocks.0" in blocks
    assert not [one for one in blocks for other in blocks if one.startswith(f"{other}.")]
