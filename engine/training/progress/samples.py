"""Pictures that show how far a training is: the same prompts and noise each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...comfyui.sampling import Conditioning, Sampling, encode_prompt, sample
from ...core.character import Character, Tags
from ...drawing.contact_sheet import side_by_side
from ...store.images import png_bytes

FOLDER = "samples"
"""Where samples are, in the run's folder."""

_FIRST_SEED = 1
_DISTILLED_GUIDANCE = 3.5
_COLUMNS = 4

# Clothes and places that few datasets show: likeness has to come from the face.
_SCENES = (
    Tags("close_up", "front", "neutral", "", "purple sweater", "plain grey background", "natural"),
    Tags("medium", "three_quarter_left", "smile", "standing", "green jacket", "in a park"),
    Tags("close_up", "three_quarter_right", "neutral", "", "orange t-shirt", "in a city"),
    Tags("medium", "front", "smile", "standing", "yellow hoodie", "on a beach", "natural"),
)


def prompts_for(character: Character, wanted: str) -> tuple[str, ...]:
    """The prompts of ``wanted``, one a line, with [trigger] and [class] replaced.

    Four of our own where it has none.
    """
    who = f"{character.trigger} {character.class_word}"
    lines = [line.strip() for line in wanted.splitlines() if line.strip()]
    if not lines:
        return tuple(", ".join([who, *tags.phrases()]) for tags in _SCENES)
    return tuple(
        line.replace("[trigger]", character.trigger).replace("[class]", character.class_word)
        for line in lines
    )


def usual_sampling(model: Any, side: int, steps: int = 20, cfg: float = 0.0) -> Sampling:
    """How ``model`` (a ModelPatcher) is usually sampled, for squares of about ``side`` pixels.

    A ``cfg`` of 0 is what suits the model: 1 where guidance is distilled into it, 3 for other
    flow models, and else 6.
    """
    import comfy.model_sampling as kinds

    side = max(64, round(side / 16) * 16)
    if _is_distilled(model):
        return Sampling(side, side, steps, cfg or 1.0, guidance=_DISTILLED_GUIDANCE)
    flow = isinstance(model.model.model_sampling, kinds.CONST)
    usual, scheduler = (3.0, "simple") if flow else (6.0, "normal")
    return Sampling(side, side, steps, cfg or usual, scheduler=scheduler)


def _is_distilled(model: Any) -> bool:
    return bool(model.model.model_config.unet_config.get("guidance_embed", False))


@dataclass(frozen=True)
class Sampler:
    """Makes the samples of one run. conditionings: (positive, negative) of each prompt."""

    vae: Any
    prompts: tuple[str, ...]
    conditionings: tuple[tuple[Conditioning, Conditioning], ...]
    sampling: Sampling

    @classmethod
    def encoding(cls, clip: Any, vae: Any, prompts: Sequence[str], sampling: Sampling) -> Sampler:
        """A sampler of ``prompts``, which are encoded now: the CLIP may then go."""
        with torch.inference_mode():
            negative = encode_prompt(clip, "", sampling.guidance)
            pairs = tuple(
                (encode_prompt(clip, prompt, sampling.guidance), negative) for prompt in prompts
            )
        return cls(vae, tuple(prompts), pairs, sampling)

    def by(self, clip: Any) -> Sampler:
        """The same with its prompts encoded by another CLIP."""
        return Sampler.encoding(clip, self.vae, self.prompts, self.sampling)

    def make(self, model: Any) -> torch.Tensor:
        """One picture a prompt, (N, H, W, 3) in 0..1 on the CPU, by ComfyUI's own sampler.

        The global random state is left as it was.
        """
        device = torch.device(model.load_device)
        with torch.random.fork_rng([] if device.type == "cpu" else [device]):
            made = [
                sample(model, self.vae, positive, negative, self.sampling, _FIRST_SEED + number)
                for number, (positive, negative) in enumerate(self.conditionings)
            ]
        return torch.cat(made)


def sheet_bytes(pictures: torch.Tensor, prompts: Sequence[str], step: int) -> bytes:
    """``pictures`` (N, H, W, 3) in 0..1 beside each other as a PNG file that has their prompts."""
    sheet = side_by_side(pictures, _COLUMNS)
    return png_bytes(sheet, json.dumps({"step": step, "prompts": list(prompts)}))
