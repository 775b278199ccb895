"""Names in LoRA files, for the published model of each family: whole, with no weights."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import comfy.lora
import pytest
import torch

from facet.engine.training.files.formats import lora_state_dict
from facet.engine.training.files.names import known_names, lora_names
from facet.engine.training.model.targets import target_modules
from harness.families import FAMILIES, published_model

# Modules of the model, and the keys that they have in files of other programs: kohya's sd-scripts
# for lora_unet_, the models' own repositories and ai-toolkit for diffusion_model.
KEYS = {
    "SD 1.5": {
        "input_blocks.1.1.transformer_blocks.0.attn1.to_q": (
            "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
        ),
        "middle_block.1.transformer_blocks.0.attn2.to_out.0": (
            "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_out_0",
        ),
        "output_blocks.3.1.transformer_blocks.0.ff.net.0.proj": (
            "lora_unet_up_blocks_1_attentions_0_transformer_blocks_0_ff_net_0_proj",
        ),
        "output_blocks.11.1.transformer_blocks.0.ff.net.2": (
            "lora_unet_up_blocks_3_attentions_2_transformer_blocks_0_ff_net_2",
        ),
        "input_blocks.1.1.proj_in": ("lora_unet_down_blocks_0_attentions_0_proj_in",),
        "input_blocks.1.0.in_layers.2": ("lora_unet_down_blocks_0_resnets_0_conv1",),
    },
    "SDXL": {
        "input_blocks.4.1.transformer_blocks.1.attn1.to_k": (
            "lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_k",
        ),
        "output_blocks.2.1.transformer_blocks.9.ff.net.2": (
            "lora_unet_output_blocks_2_1_transformer_blocks_9_ff_net_2",
        ),
    },
    "Flux": {
        "double_blocks.18.txt_attn.qkv": ("lora_unet_double_blocks_18_txt_attn_qkv",),
        "single_blocks.37.linear2": ("lora_unet_single_blocks_37_linear2",),
    },
    "Flux2 Klein": {"double_blocks.4.img_mlp.0": ("diffusion_model.double_blocks.4.img_mlp.0",)},
    "Flux2 dev": {"single_blocks.47.linear1": ("diffusion_model.single_blocks.47.linear1",)},
    "Qwen-Image": {
        "transformer_blocks.59.attn.add_q_proj": (
            "diffusion_model.transformer_blocks.59.attn.add_q_proj",
        ),
        "transformer_blocks.0.attn.to_out.0": (
            "diffusion_model.transformer_blocks.0.attn.to_out.0",
        ),
    },
    "Z-Image": {
        "layers.29.attention.qkv": tuple(
            f"diffusion_model.layers.29.attention.to_{part}" for part in "qkv"
        ),
        "layers.0.attention.out": ("diffusion_model.layers.0.attention.to_out.0",),
        "layers.0.feed_forward.w2": ("diffusion_model.layers.0.feed_forward.w2",),
    },
    "Chroma": {"double_blocks.0.img_mlp.2": ("lora_unet_double_blocks_0_img_mlp_2",)},
    "Krea 2": {"blocks.27.mlp.down": ("diffusion_model.blocks.27.mlp.down",)},
    "Anima": {"blocks.27.self_attn.q_proj": ("diffusion_model.blocks.27.self_attn.q_proj",)},
}


def layers_of(model: Any, modules: Iterable[str]) -> dict[str, dict[str, torch.Tensor]]:
    """A LoRA of rank one for each module."""
    made = {}
    for name in modules:
        layer = model.diffusion_model.get_submodule(name)
        inputs = getattr(layer, "in_features", None)
        down = torch.rand(1, inputs) if inputs else torch.rand(1, *layer.weight.shape[1:])
        up = torch.rand(layer.weight.shape[0], 1, *[1] * (layer.weight.ndim - 2))
        alpha = torch.tensor(1.0)
        made[name] = {"lora_down.weight": down, "lora_up.weight": up, "alpha": alpha}
    return made


@pytest.mark.parametrize("name", FAMILIES)
def test_layers_have_the_names_of_other_programs(name: str) -> None:
    model = published_model(FAMILIES[name])
    modules = list(KEYS[name])
    names = lora_names(model, modules)
    for module, keys in KEYS[name].items():
        assert (names[module].parts or (names[module].key,)) == keys
    state = lora_state_dict(layers_of(model, modules), names)
    kohya = next(iter(names.values())).kohya
    ends = (
        {".lora_down.weight", ".lora_up.weight", ".alpha"}
        if kohya
        else {".lora_A.weight", ".lora_B.weight"}
    )
    assert set(state) == {f"{k}{end}" for keys in KEYS[name].values() for k in keys for end in ends}


@pytest.mark.parametrize("name", FAMILIES)
def test_comfyui_knows_every_key(name: str) -> None:
    model = published_model(FAMILIES[name])
    targets = target_modules(model.diffusion_model)
    state = lora_state_dict(layers_of(model, targets), lora_names(model, targets))
    patches = comfy.lora.load_lora(dict(state), known_names(model), log_missing=False)
    read = set.union(*(patch.loaded_keys for patch in patches.values()))
    assert read == set(state)
    layers = {key if isinstance(key, str) else key[0] for key in patches}
    assert layers == {f"diffusion_model.{target}.weight" for target in targets}


def test_what_is_trained_are_layers_that_kohya_trains() -> None:
    """sd-scripts counts 192 modules in the UNet of SD 1.5, 722 in SDXL's and 304 in Flux; it takes
    the projections around the blocks as well, and Flux's modulation."""
    counts = {}
    for name in ("SD 1.5", "SDXL", "Flux"):
        model = published_model(FAMILIES[name]).diffusion_model
        projections = sum(
            bool(re.search(r"\d\.1\.proj_(in|out)$|block\.1\.proj_(in|out)$", layer))
            for layer, _ in model.named_modules()
        )
        modulation = sum(
            bool(re.search(r"_mod\.lin$|modulation\.lin$", layer))
            for layer, _ in model.named_modules()
        )
        counts[name] = len(target_modules(model)) + projections + modulation
    assert counts == {"SD 1.5": 192, "SDXL": 722, "Flux": 304}


def test_convolutions_keep_four_axes() -> None:
    model = published_model(FAMILIES["SD 1.5"])
    modules = ["input_blocks.1.1.proj_in", "input_blocks.1.0.in_layers.2"]
    state = lora_state_dict(layers_of(model, modules), lora_names(model, modules))
    assert state["lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"].shape == (
        1,
        320,
        1,
        1,
    )
    conv = "lora_unet_down_blocks_0_resnets_0_conv1"
    assert state[f"{conv}.lora_down.weight"].shape == (1, 320, 3, 3)
    assert state[f"{conv}.lora_up.weight"].shape == (320, 1, 1, 1)


def test_the_parts_of_z_image_are_its_qkv_exactly() -> None:
    model = published_model(FAMILIES["Z-Image"])
    module = "layers.3.attention.qkv"
    layers = layers_of(model, [module])
    state = lora_state_dict(layers, lora_names(model, [module]))
    base = "diffusion_model.layers.3.attention.to_"
    for part in "qkv":
        assert torch.equal(state[f"{base}{part}.lora_A.weight"], layers[module]["lora_down.weight"])
    rows = torch.cat([state[f"{base}{part}.lora_B.weight"] for part in "qkv"])
    assert torch.equal(rows, layers[module]["lora_up.weight"])


def diffusers_model(name: str) -> tuple[Any, Any, dict[str, Any]]:
    """diffusers' own model of a family, without weights, and what reads LoRAs for it."""
    import diffusers
    from diffusers.loaders import lora_pipeline

    def mixin(kind: str) -> Any:
        return getattr(lora_pipeline, f"{kind}LoraLoaderMixin")

    with torch.device("meta"):
        if name == "SD 1.5":
            return (
                diffusers.UNet2DConditionModel(cross_attention_dim=768),
                mixin("StableDiffusion"),
                {},
            )
        if name == "SDXL":
            unet = diffusers.UNet2DConditionModel(
                cross_attention_dim=2048,
                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                block_out_channels=(320, 640, 1280),
                transformer_layers_per_block=(1, 2, 10),
                attention_head_dim=(5, 10, 20),
                use_linear_projection=True,
                addition_embed_type="text_time",
                addition_time_embed_dim=256,
                projection_class_embeddings_input_dim=2816,
            )
            return unet, mixin("StableDiffusionXL"), {"unet_config": unet.config}
        if name == "Flux":
            return diffusers.FluxTransformer2DModel(guidance_embeds=True), mixin("Flux"), {}
        if name == "Flux2 Klein":
            klein = diffusers.Flux2Transformer2DModel(
                num_layers=5,
                num_single_layers=20,
                num_attention_heads=24,
                joint_attention_dim=7680,
            )
            return klein, mixin("Flux2"), {}
        if name == "Flux2 dev":
            return diffusers.Flux2Transformer2DModel(), mixin("Flux2"), {}
        if name == "Qwen-Image":
            return diffusers.QwenImageTransformer2DModel(), mixin("QwenImage"), {}
        if name == "Z-Image":
            return diffusers.ZImageTransformer2DModel(), mixin("ZImage"), {}
        if name == "Chroma":
            return diffusers.ChromaTransformer2DModel(), mixin("Flux"), {}
        return diffusers.Krea2Transformer2DModel(), mixin("Krea2"), {}


# diffusers has no loader of LoRAs for Anima.
@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "Anima"])
def test_diffusers_reads_every_key(name: str) -> None:
    """Its converter takes the file, and each layer it makes of it is one of its model's."""
    from diffusers.utils import convert_unet_state_dict_to_peft

    model = published_model(FAMILIES[name])
    targets = target_modules(model.diffusion_model)
    state = lora_state_dict(layers_of(model, targets), lora_names(model, targets))
    network, loader, options = diffusers_model(name)
    read = loader.lora_state_dict(dict(state), **options)
    converted = read[0] if isinstance(read, tuple) else read
    converted = {key.split(".", 1)[1]: value for key, value in converted.items()}
    if name.startswith("SD"):
        converted = convert_unet_state_dict_to_peft(converted)
    layers: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in converted.items():
        layer, part = re.fullmatch(r"(.+)\.lora_([AB])\.weight", key).groups()  # type: ignore[union-attr]
        layers.setdefault(layer, {})[part] = value
    assert len(layers) >= len(targets)
    for layer, parts in layers.items():
        weight = network.get_submodule(layer).weight
        assert tuple(weight.shape[:2]) == (parts["B"].shape[0], parts["A"].shape[1]), layer
