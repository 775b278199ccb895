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
from ...families import table
from ...store.images import png_bytes

FOLDER = "samples"
"""Where samples are, in the run's folder."""

_FIRST_SEED = 1
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
    who = character.phrase
    lines = [line.strip() for line in wanted.splitlines() if line.strip()]
    if not lines:
        return tuple(", ".join([who, *tags.phrases()]) for tags in _SCENES)
    return tuple(
        line.replace("[trigger]", character.trigger).replace("[class]", character.class_word)
        for line in lines
    )


def usual_sampling(model: Any, side: int, steps: int = 0, cfg: float = 0.0) -> Sampling:
    """How ``model`` (a ModelPatcher) is usually sampled, for squares of about ``side`` pixels.

    ``steps`` and a ``cfg`` of 0 are what suits the model: see ``families.table.usual_sampling``.
    """
    usual = table.usual_sampling(model)
    side = max(64, round(side / 16) * 16)
    return Sampling(
        side,
        side,
        steps or usual.steps,
        cfg or usual.cfg,
        scheduler=usual.scheduler,
        guidance=usual.guidance,
    )


@dataclass(frozen=True)
class TrainingSampler:
    """Makes the samples of one run. conditionings: (positive, negative) of each prompt."""

    vae: Any
    prompts: tuple[str, ...]
    conditionings: tuple[tuple[Conditioning, Conditioning], ...]
    sampling: Sampling

    @classmethod
    def encoding(
        cls, clip: Any, vae: Any, prompts: Sequence[str], sampling: Sampling
    ) -> TrainingSampler:
        """A sampler of ``prompts``, which are encoded now: the CLIP may then go."""
        with torch.inference_mode():
            negative = encode_prompt(clip, "", sampling.guidance)
            pairs = tuple(
                (encode_prompt(clip, prompt, sampling.guidance), negative) for prompt in prompts
            )
        return cls(vae, tuple(prompts), pairs, sampling)

    def by(self, clip: Any) -> TrainingSampler:
        """The same with its prompts encoded by another CLIP."""
        return TrainingSampler.encoding(clip, self.vae, self.prompts, self.sampling)

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
