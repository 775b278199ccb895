"""Makes images by text alone, with a LoRA at any strength or without one."""

from __future__ import annotations

from typing import Any

import torch

from ..store.keys import key
from .fingerprint import fingerprint, lora_fingerprint, model_fingerprint
from .lora import check_values
from .lora_names import LoraWeights
from .lora_place import PlacedLora, place, put
from .models import Models
from .sampling import Conditioning, OnStep, Sampling, encode_prompt, sample

VERSION = 1


class LoraCamera:
    """Models, how they sample, and a LoRA that is put on them.

    Raises FacetError when the LoRA's values are none, and, as soon as an image is named or made,
    when it belongs to other models.
    """

    def __init__(
        self,
        models: Models,
        sampling: Sampling,
        lora: LoraWeights | None = None,
        encoded: dict[tuple[Any, str], Conditioning] | None = None,
    ) -> None:
        """encoded: texts that were encoded, by what is on the CLIP; for all cameras of ``models``.

        Most LoRAs leave the CLIP alone, and each text then is encoded once: on a small card the
        text encoder and the model would else push each other out for every image."""
        if lora is not None:
            check_values(lora, "The LoRA")
        self.models, self.sampling, self.lora = models, sampling, lora
        self._common = {
            "model": model_fingerprint(models.model),
            "clip": model_fingerprint(models.clip.patcher),
            "vae": fingerprint(models.vae),
            # By its own weights: what a patched model shows of itself is few values.
            "lora": "" if lora is None else lora_fingerprint(lora),
            "sampling": sampling,
        }
        self._placed: PlacedLora | None = None
        self._patched: dict[float, Models] = {}
        self._encoded = {} if encoded is None else encoded

    def key(self, prompt: str, negative: str, seed: int, strength: float) -> str:
        """The name of the image that ``image`` makes of these: it says all that determines it."""
        if self.lora is None:
            strength = 0.0
        return key(
            VERSION,
            **self._common,
            prompt=prompt,
            negative=negative,
            seed=seed,
            strength=float(strength),
        )

    def image(
        self, prompt: str, negative: str, seed: int, strength: float, on_step: OnStep | None = None
    ) -> torch.Tensor:
        """The image (H, W, 3) float32 in 0..1 that is sampled from ``prompt`` with ``seed``."""
        models = self.patched(strength)
        made: torch.Tensor = sample(
            models.model,
            models.vae,
            self._conditioning(models.clip, prompt),
            self._conditioning(models.clip, negative),
            self.sampling,
            seed,
            on_step=on_step,
        )[0]
        return made.detach()

    def _conditioning(self, clip: Any, text: str) -> Conditioning:
        key = clip.patcher.patches_uuid, text
        if key not in self._encoded:
            self._encoded[key] = encode_prompt(clip, text, self.sampling.guidance)
        return self._encoded[key]

    def patched(self, strength: float) -> Models:
        """The models with the LoRA on them; raises FacetError when it belongs to others."""
        if self.lora is None:
            return self.models
        if strength not in self._patched:
            models = self.models
            if self._placed is None:
                self._placed = place(models.model, models.clip, self.lora)
            model, clip = put(models.model, models.clip, self._placed, strength)
            self._patched[strength] = Models(model, clip, models.vae)
        return self._patched[strength]

    @property
    def note(self) -> str:
        """What of the LoRA has no place in the models, as a sentence, once it is on them."""
        return self._placed.note if self._placed else ""
