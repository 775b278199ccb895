"""The CLIP models inside a user's CLIP, as they are trained, and the CLIP handed back as it was."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch

from ...comfyui.internals import internal
from ...comfyui.sampling import literal, tokenized
from ...core.errors import FacetError
from ..data.caches import content_key
from ..data.conditioning import plain_copy
from ..settings import TARGETS, TrainingSettings
from .exact import Changes, OutOfPlace, exact_gradients
from .loading import differentiable_attention
from .lora import TEXT_ENCODERS, Adapter, adapters, put_layers

ATTENTION = TARGETS[1]

# By ComfyUI's names; others are called what ComfyUI calls them.
_TRAINABLE = {"clip_l": "CLIP-L", "clip_g": "CLIP-G", "clip_h": "CLIP-H"}
_CALLED = {**_TRAINABLE, "t5xxl": "T5-XXL"}


class TextEncoder:
    """The text encoder of one training; ``Session`` has its adapters in place while it lasts.

    clip: the user's CLIP as it is trained: while ``exact``, it encodes as ComfyUI does, with the
    adapters, and keeps the gradient where one is asked for. targets: the layers that are trained.
    """

    def __init__(self, clip: Any, settings: TrainingSettings, targets: tuple[str, ...]) -> None:
        self.targets = targets
        self.patcher = clip.patcher
        self._model = clip.cond_stage_model
        self._settings = settings
        self._layers = tuple(target.removeprefix(TEXT_ENCODERS) for target in targets)
        self._originals = {name: self._model.get_submodule(name) for name in self._layers}
        self._live: dict[str, torch.nn.Module] = {}
        self._kept: dict[str, Any] = {}
        self.clip = clip.clone()
        # It is loaded together with the diffusion model; to load it alone may push that away.
        self.clip.load_model = lambda _tokens=(): self.patcher

    @contextlib.contextmanager
    def adapted(self) -> Iterator[list[Adapter]]:
        """The adapters, in place for the length of the ``with``."""
        settings = self._settings
        with adapters(
            self._model,
            self._layers,
            settings.rank,
            # Not the numbers that the diffusion model's start from.
            settings.seed + 1,
            self.patcher.load_device,
            settings.adapter,
            settings.alpha,
        ) as made:
            self._live = {name: self._model.get_submodule(name) for name in self._layers}
            yield [replace(one, module=f"{TEXT_ENCODERS}{one.module}") for one in made]

    @contextlib.contextmanager
    def exact(self) -> Iterator[None]:
        """Exact gradients; encoders that are not trained run once for each text."""
        attention = internal("CLIPAttention")

        changed = Changes()
        trained = {layer.split(".")[0] for layer in self._layers}
        with contextlib.ExitStack() as stack:
            stack.callback(changed.undo)
            for name, encoder in _encoders(self._model).items():
                if name not in trained:
                    known = functools.partial(self._known, name, encoder.encode_token_weights)
                    changed.set(encoder.__dict__, "encode_token_weights", known)
                    continue
                clip = encoder.transformer
                # All but the table of words, which no gradient passes and which is large.
                layers, norm = clip.text_model.encoder, clip.text_model.final_layer_norm
                for part in (layers, norm, clip.text_projection):
                    stack.enter_context(exact_gradients(part, self.patcher.load_device))
                for module in layers.modules():
                    if isinstance(module, attention):
                        changed.set(module.__dict__, "forward", functools.partial(_attend, module))
            yield

    def take_out(self) -> None:
        """Puts the CLIP's own layers back, so that ComfyUI may move it."""
        put_layers(self._model, self._originals)

    def put_in(self) -> None:
        put_layers(self._model, self._live)

    def encode(self, caption: str) -> dict[str, Any]:
        """``caption`` by the adapted CLIP, as the options that ``extra_conds`` takes."""
        with OutOfPlace():
            ((cross_attn, options),) = self.clip.encode_from_tokens_scheduled(
                tokenized(self.clip, literal(caption))
            )
        return {**options, "cross_attn": cross_attn}

    def _known(self, name: str, encode: Callable[[Any], Any], tokens: Any) -> Any:
        key = content_key(name, tokens)
        if key not in self._kept:
            with torch.inference_mode():
                self._kept[key] = plain_copy(encode(tokens))
        return plain_copy(self._kept[key])


def text_targets(clip: Any, model: Any, targets: str) -> tuple[str, ...]:
    """The layers of ``clip`` to train, in its order, for ``targets`` of ``settings.TARGETS``.

    Each has ``TEXT_ENCODERS`` before its name. ``model`` is the BaseModel that the text is for.
    Raises FacetError when no encoder of ``clip`` can be trained.
    """
    if clip.patcher.forced_hooks is not None:
        raise FacetError(
            "text_encoder is on, and hooks change the CLIP's weights while it encodes; connect "
            "the CLIP from before the hooks, or turn text_encoder off."
        )
    encoders = _encoders(clip.cond_stage_model)
    names = []
    for encoder in _trainable(encoders):
        layers = f"{encoder}.transformer.text_model.encoder.layers"
        for name, module in clip.cond_stage_model.get_submodule(layers).named_modules():
            wanted = targets != ATTENTION or ".self_attn." in name
            if wanted and hasattr(module, "in_features"):
                names.append(f"{TEXT_ENCODERS}{layers}.{name}")
    if not names:
        raise FacetError(
            f"text_encoder is on, and the text encoder of {type(model).__name__} "
            f"({_listed(encoders)}) cannot be trained: only CLIP-L, CLIP-G and CLIP-H can. Turn "
            "text_encoder off."
        )
    return tuple(names)


def what_stays(clip: Any) -> str:
    """A sentence when encoders stay as they are beside those that are trained; '' otherwise."""
    encoders = _encoders(clip.cond_stage_model)
    trained = _trainable(encoders)
    others = [name for name in encoders if name not in trained]
    if not others:
        return ""
    return f"Of the text encoders {_listed(trained)} is trained; {_listed(others)} stays as it is."


def _attend(attention: Any, x: torch.Tensor, mask: Any = None, _chosen: Any = None) -> Any:
    """The layer's forward pass, by attention that drops no mask under ``OutOfPlace``."""
    chosen = functools.partial(differentiable_attention, None)
    return type(attention).forward(attention, x, mask, chosen)


def _encoders(model: torch.nn.Module) -> dict[str, Any]:
    """The text encoders that a CLIP is made of, by ComfyUI's names."""
    children = model.named_children()
    return {name: child for name, child in children if hasattr(child, "encode_token_weights")}


def _trainable(encoders: Mapping[str, Any]) -> list[str]:
    text_model = internal("CLIPTextModel")

    return [
        name
        for name, encoder in encoders.items()
        if name in _TRAINABLE and isinstance(encoder.transformer, text_model)
    ]


def _listed(names: Iterable[str]) -> str:
    return " and ".join(_CALLED.get(name, name) for name in names)
