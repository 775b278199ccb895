"""What the sections of a report are made from: the score card and its images, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median_low

import torch

from ...core.character import Character
from ..evaluate import IN_WORDS, OFF, Evaluation
from ..metrics import Metric
from ..protocol import SCENE, TestPrompt
from ..sample import ScoredSample
from ..score import ScoreCard
from ..text import TIMES
from ..variant import Variant
from ..verdict import FACE_RECOGNITION, noun, words

MOST_COLUMNS = 9
BASELINE = "without LoRA"


@dataclass(frozen=True)
class ScoredImage:
    """An image (H, W, 3) that was made, and what was measured in it."""

    sample: ScoredSample
    image: torch.Tensor


@dataclass(frozen=True)
class Material:
    """A character and its evaluation, as the sections ask for them."""

    character: Character
    evaluation: Evaluation

    @property
    def card(self) -> ScoreCard:
        return self.evaluation.card

    @property
    def measured_by(self) -> str:
        """The encoder, and whether it compares appearance or recognises faces."""
        return self.card.measured_by or "the CLIP_VISION that was connected"

    @property
    def recognises(self) -> bool:
        return self.card.measured_by.startswith(FACE_RECOGNITION)

    @property
    def noun(self) -> str:
        """What identity may be called: looking alike is not yet being recognised."""
        return noun(self.card)

    def label(self, metric: Metric) -> str:
        """What a reader sees of ``metric``."""
        return metric.label.format(**words(self.card, metric))

    @property
    def judged(self) -> bool:
        """Whether similarity could be calibrated."""
        return self.card.best.identity.value is not None

    def made(self, one: Variant) -> dict[TestPrompt, ScoredImage]:
        """The samples of ``one`` by their prompts, in the order in which they were made."""
        pictures = self.evaluation.pictures[self._label(one)]
        pairs = zip(one.samples, pictures, strict=False)
        return {sample.prompt: ScoredImage(sample, image) for sample, image in pairs}

    @cached_property
    def off(self) -> dict[TestPrompt, ScoredImage]:
        """The samples without LoRA."""
        return self.made(self.card.off)

    @cached_property
    def best(self) -> dict[TestPrompt, ScoredImage]:
        """The samples of what was chosen."""
        return self.made(self.card.best)

    def pairs(self, kind: str) -> Iterator[tuple[ScoredImage, ScoredImage]]:
        """Without LoRA and with it, for each prompt of ``kind``."""
        for prompt, on in self.best.items():
            if prompt.kind == kind and prompt in self.off:
                yield self.off[prompt], on

    @cached_property
    def middle(self) -> tuple[ScoredImage, ScoredImage] | None:
        """Without LoRA and with it, for the scene of middle similarity."""
        scenes = list(self.pairs(SCENE))
        if not scenes:
            return None
        similarity = median_low([on.sample.similarity for _, on in scenes])
        return next(pair for pair in scenes if pair[1].sample.similarity == similarity)

    @cached_property
    def columns(self) -> tuple[Variant, ...]:
        """What to show beside one another: the baseline first, the chosen one always among them.

        Where too many were tried, those that share the chosen one's step or strength.
        """
        card = self.card
        first = [card.off, *([card.words] if card.words else [])]
        tried = list(card.tried)
        best = card.best
        if len(tried) > MOST_COLUMNS:
            tried = [
                one
                for one in tried
                if best.strength == one.strength or lora_name(one) == lora_name(best)
            ]
        if len(tried) > MOST_COLUMNS:
            tried = nearest_to(tried, best, MOST_COLUMNS)
        return (*first, *tried)

    @property
    def compared(self) -> tuple[Variant, ...]:
        """What was tried, the chosen one over no more scenes than the rest."""
        return self.card.compared

    @property
    def chosen(self) -> Variant:
        """The one of ``compared`` that was chosen."""
        return self.card.chosen

    @property
    def counted(self) -> str:
        """Over which scenes they are ``compared``, in a sentence."""
        counts = sorted({len(one.scenes) for one in self.compared})
        if len(counts) == 1:
            return f"All are compared over the same {counts[0]} scenes."
        return (
            f"All made the same {counts[0]} scenes; those that these did not tell from the best "
            f"made more, up to {counts[-1]}, and are shown over all they made."
        )

    def _label(self, one: Variant) -> str:
        if one is self.card.off:
            return OFF
        return IN_WORDS if one is self.card.words else one.label


def lora_name(one: Variant) -> str:
    """The name of the LoRA without its strength, such as 'step 200'."""
    return one.label.removesuffix(f" at strength {one.strength:g}")


def short_name(one: Variant) -> str:
    """As in 'step 200 x 0.8', with a multiplication sign; 'without LoRA' for the baseline."""
    if not one.strength:
        return BASELINE if one.label == OFF else one.label
    return f"{lora_name(one)} {TIMES} {one.strength:g}"


def nearest_to(tried: Sequence[Variant], best: Variant, count: int) -> list[Variant]:
    """``count`` of ``tried``, evenly spread in their order, with ``best`` among them."""
    stride = (len(tried) - 1) / (count - 1)
    kept = {round(number * stride) for number in range(count)}
    chosen = list(tried).index(best)
    if chosen not in kept:
        kept.remove(min(kept, key=lambda number: abs(number - chosen)))
        kept.add(chosen)
    return [tried[number] for number in sorted(kept)]
