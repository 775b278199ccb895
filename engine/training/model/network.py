"""The model in training as a function of captions, noised latents and noise levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..data.conditioning import Conds, groups, joined, model_conds
from .exact import OutOfPlace
from .lora import adapters_off
from .text_encoder import TextEncoder


class Network:
    """Predicts for several samples at once, each with a caption of its own."""

    def __init__(
        self,
        model: Any,
        prompts: Mapping[str, dict[str, Any]],
        options: dict[str, Any],
        guidance: float,
        text_encoder: TextEncoder | None = None,
    ) -> None:
        """``model`` is a ModelPatcher that is loaded; ``prompts`` are encoded captions, and
        ``options`` the transformer options that ``loading.loaded`` gave. With a ``text_encoder``
        captions are encoded anew each time, and ``prompts`` are what they were without it.

        What the model makes of a prompt has up to 30 MB and is on its device: only that of the
        captions that were last asked for is kept."""
        self._model = model.model
        self.device = model.load_device
        self._prompts = prompts
        self._options = options
        self._guidance = guidance
        self._text_encoder = text_encoder
        self._recent: dict[tuple[str, torch.Size], Conds] = {}

    @property
    def name(self) -> str:
        return type(self._model).__name__

    @property
    def sampling(self) -> Any:
        """The model's own noise levels and parameterisation."""
        return self._model.model_sampling

    def parts(self, captions: Sequence[str], latent: torch.Tensor, most: int) -> list[list[int]]:
        """Indices of the samples in groups that can run at once, of at most ``most`` each."""
        conds = self._known_conds(captions, latent)
        return [
            group[start : start + most]
            for group in groups(conds)
            for start in range(0, len(group), most)
        ]

    def denoised(
        self, captions: Sequence[str], noised: torch.Tensor, sigmas: torch.Tensor
    ) -> torch.Tensor:
        """The denoised latents (B, C, …) of samples that can run at once, on the device."""
        if self._text_encoder is None:
            return self._denoised(self._known_conds(captions, noised), noised, sigmas)
        live = {one: self._live_conds(one, noised.shape[1:]) for one in dict.fromkeys(captions)}
        return self._denoised([live[caption] for caption in captions], noised, sigmas)

    def untrained(
        self, captions: Sequence[str], noised: torch.Tensor, sigmas: torch.Tensor
    ) -> torch.Tensor:
        """What ``denoised`` would be without any adapter; no gradient passes."""
        with torch.no_grad(), adapters_off(self._model.diffusion_model):
            return self._denoised(self._known_conds(captions, noised), noised, sigmas)

    def _denoised(
        self, conds: list[Conds], noised: torch.Tensor, sigmas: torch.Tensor
    ) -> torch.Tensor:
        options = {**self._options, "cond_or_uncond": [0] * len(conds), "sigmas": sigmas}
        with OutOfPlace():
            result: torch.Tensor = self._model.apply_model(
                noised, sigmas, transformer_options=options, **joined(conds)
            )
        return result

    def _known_conds(self, captions: Sequence[str], noised: torch.Tensor) -> list[Conds]:
        keys = [(caption, noised.shape[1:]) for caption in captions]
        if not self._recent.keys() >= set(keys):
            self._recent = {one: self._recent.get(one) or self._made_conds(*one) for one in keys}
        return [self._recent[one] for one in keys]

    def _made_conds(self, caption: str, shape: torch.Size) -> Conds:
        latent = torch.zeros((1, *shape), device=self.device)
        return model_conds(self._model, self._prompts[caption], latent, self._guidance)

    def _live_conds(self, caption: str, shape: torch.Size) -> Conds:
        assert self._text_encoder is not None
        latent = torch.zeros((1, *shape), device=self.device)
        options = self._text_encoder.encode(caption)
        return model_conds(self._model, options, latent, self._guidance, with_gradient=True)
