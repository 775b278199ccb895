"""What the layers of each family are called in LoRA files that several programs read.

    SD 1.x, 2.x    lora_unet_down_blocks_0_attentions_0_…    diffusers' names, as kohya writes them
    SDXL           lora_unet_input_blocks_4_1_…              the model's own names, as kohya does
    Flux, Chroma   lora_unet_double_blocks_0_img_attn_qkv
    SD3, Lumina    lora_unet_joint_blocks_0_…, lora_unet_layers_0_…
    Z-Image        diffusion_model.layers.0.attention.to_q   its one qkv layer as three
    all others     diffusion_model.transformer_blocks.0.…    Flux2, Qwen-Image, Wan, Krea 2, …

    a CLIP alone   lora_te_text_model_encoder_layers_0_…     SD 1.x's CLIP-L, SD 2.x's CLIP-H
    CLIPs beside   lora_te1_…, lora_te2_…                    CLIP-L and CLIP-G, of SDXL, Flux, SD3

Names with ``lora_unet_`` or ``lora_te`` go with lora_down, lora_up and alpha, the others with
lora_A and lora_B.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ...comfyui.lora_names import diffusers_weights
from ...core.errors import FacetError
from ...families.family import LoraNames
from ...families.table import family_of
from ..model.lora import TEXT_ENCODERS

_GENERIC = "diffusion_model."


@dataclass(frozen=True)
class LoraName:
    """What one layer is called in a file.

    key: of the whole layer. parts: of equal parts of its rows, where a plain LoRA is written in
    parts. kohya: whether lora_down, lora_up and alpha go with it.
    """

    key: str
    parts: tuple[str, ...] = ()

    @property
    def kohya(self) -> bool:
        return self.key.startswith(("lora_unet_", "lora_te"))


def lora_names(model: Any, modules: Iterable[str], encoder: Any = None) -> dict[str, LoraName]:
    """The name of each of ``modules`` in a LoRA file of ``model`` (a BaseModel).

    ``encoder`` is the text encoder's model where layers of it are among them. Each name is one
    that ComfyUI maps back to this very layer. Raises FacetError when there is none.
    """
    known = known_names(model, encoder)
    diffusers = _diffusers_names(model)
    names = {}
    for module in modules:
        if module.startswith(TEXT_ENCODERS):
            names[module] = _text_name(module, known)
        else:
            names[module] = _name(model, module, known, diffusers.get(module))
    return names


def known_names(model: Any, encoder: Any = None) -> dict[str, Any]:
    """What ComfyUI reads in a LoRA file for ``model`` and a text encoder's ``encoder``: the layer's
    weight by each name, or the weight with the part of its rows that is meant."""
    import comfy.lora

    def plain(weight: Any) -> Any:
        if isinstance(weight, str):
            return weight.replace(".base_layer", "")
        return (plain(weight[0]), *weight[1:])

    # A layer that has an adapter on it stands one name deeper.
    names = {
        key.replace(".base_layer", "").replace("_base_layer", ""): plain(weight)
        for key, weight in comfy.lora.model_lora_keys_unet(model, {}).items()
    }
    if encoder is not None:
        # ComfyUI looks for its own names here, so they have to be there before.
        weights = {plain(key): None for key in encoder.state_dict()}
        bare = SimpleNamespace(state_dict=lambda: weights)
        names = comfy.lora.model_lora_keys_clip(bare, names)
    return names


def weight_of(module: str) -> str:
    """ComfyUI's name of a layer's weight."""
    if module.startswith(TEXT_ENCODERS):
        return f"{module.removeprefix(TEXT_ENCODERS)}.weight"
    return f"{_GENERIC}{module}.weight"


def module_of(weight: str) -> str:
    """The layer whose weight ComfyUI calls so."""
    layer = weight.removesuffix(".weight")
    if layer.startswith(_GENERIC):
        return layer.removeprefix(_GENERIC)
    return f"{TEXT_ENCODERS}{layer}"


def _diffusers_names(model: Any) -> dict[str, str]:
    if family_of(model).lora_names is not LoraNames.DIFFUSERS:
        return {}
    return {
        weight.removeprefix(_GENERIC).removesuffix(".weight"): name
        for name, weight in diffusers_weights(model)
    }


def _name(model: Any, module: str, known: dict[str, Any], diffusers: str | None) -> LoraName:
    weight = weight_of(module)
    for key in _candidates(model, module, diffusers):
        if known.get(key) == weight:
            return LoraName(key, _parts(model, module, known))
    raise FacetError(
        f"ComfyUI knows no LoRA name for the layer {module} of {type(model).__name__}; this model "
        "cannot be trained yet."
    )


def _text_name(module: str, known: dict[str, Any]) -> LoraName:
    """kohya's: the CLIPs have numbers where there are several text encoders."""
    encoder, _, layer = module.removeprefix(TEXT_ENCODERS).partition(".transformer.")
    weight = weight_of(module)
    encoders = {w.split(".")[0] for name, w in known.items() if name.startswith(TEXT_ENCODERS)}
    alone = encoders == {encoder}
    numbered = {"clip_l": ("lora_te1",), "clip_g": ("lora_te2",)}.get(encoder, ())
    for prefix in ("lora_te",) if alone else (*numbered, "lora_te"):
        key = f"{prefix}_{layer.replace('.', '_')}"
        if known.get(key) == weight:
            return LoraName(key)
    raise FacetError(
        f"ComfyUI knows no LoRA name for the layer {layer} of the text encoder {encoder}; turn "
        "text_encoder off."
    )


def _candidates(model: Any, module: str, diffusers: str | None) -> Iterator[str]:
    names = family_of(model).lora_names
    kohya = f"lora_unet_{module.replace('.', '_')}"
    if diffusers is not None:
        yield f"lora_unet_{diffusers.replace('.', '_')}"
    if names is LoraNames.Z_IMAGE and module.endswith(".attention.out"):
        yield f"{_GENERIC}{module.removesuffix('.out')}.to_out.0"
    if names in (LoraNames.DIFFUSERS, LoraNames.KOHYA):
        yield kohya
    yield f"{_GENERIC}{module}"
    yield kohya


def _parts(model: Any, module: str, known: dict[str, Any]) -> tuple[str, ...]:
    z_image = family_of(model).lora_names is LoraNames.Z_IMAGE
    if not (z_image and module.endswith(".attention.qkv")):
        return ()
    base = f"{_GENERIC}{module.removesuffix('.qkv')}"
    parts = tuple(f"{base}.to_{part}" for part in "qkv")
    width = model.model_config.unet_config["dim"]
    meant = [(weight_of(module), (0, width * i, width)) for i in range(3)]
    return parts if [known.get(part) for part in parts] == meant else ()
