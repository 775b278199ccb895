"""What the sections of a report are made from: the score card and its pictures, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median_low

import torch

from ...core.character import Character
from ..calibrate import Scales
from ..condition import Condition, Sample, condition
from ..evaluate import IN_WORDS, OFF, Evaluation
from ..protocol import SCENE, TestPrompt
from ..score import ScoreCard
from .parts import TIMES

MOST_COLUMNS = 9
NOT_SAID = "the CLIP_VISION that was connected"


@dataclass(frozen=True)
class Made:
    """A picture (H, W, 3) that was made, and what was measured in it."""

    sample: Sample
    image: torch.Tensor


@dataclass(frozen=True)
class Material:
    """A character and its evaluation, as the sections ask for them."""

    character: Character
    evaluation: Evaluation

    @property
    def card(self) -> ScoreCard:
        """Everything that was measured."""
        return self.evaluation.card

    @property
    def measured_by(self) -> str:
        """The encoder, and whether it compares appearance or recognises faces."""
        return str(self.card.settings.get("measured_by") or NOT_SAID)

    @property
    def noun(self) -> str:
        """What the first number may be called: looking alike is not yet being recognised."""
        return "Identity" if self.measured_by.startswith("face recognition") else "Likeness"

    @property
    def judged(self) -> bool:
        """Whether likeness could be calibrated."""
        return self.card.best.identity.value is not None

    def made(self, condition: Condition) -> dict[TestPrompt, Made]:
        """The pictures of ``condition`` by their prompts, in the order in which they were made."""
        pictures = self.evaluation.pictures[self._label(condition)]
        pairs = zip(condition.samples, pictures, strict=False)
        return {sample.prompt: Made(sample, image) for sample, image in pairs}

    @cached_property
    def off(self) -> dict[TestPrompt, Made]:
        """The pictures without the LoRA."""
        return self.made(self.card.off)

    @cached_property
    def best(self) -> dict[TestPrompt, Made]:
        """The pictures of what was chosen."""
        return self.made(self.card.best)

    def pairs(self, kind: str) -> Iterator[tuple[Made, Made]]:
        """LoRA off and on, for each prompt of ``kind``."""
        for prompt, on in self.best.items():
            if prompt.kind == kind and prompt in self.off:
                yield self.off[prompt], on

    @cached_property
    def middle(self) -> tuple[Made, Made] | None:
        """LoRA off and on for the scene that is neither among the best nor among the worst."""
        scenes = list(self.pairs(SCENE))
        if not scenes:
            return None
        similarity = median_low([on.sample.similarity for _, on in scenes])
        return next(pair for pair in scenes if pair[1].sample.similarity == similarity)

    @cached_property
    def columns(self) -> tuple[Condition, ...]:
        """What to show beside one another: LoRA off first, the chosen one always among them.

        Where too many were tried, those that share the chosen one's step or strength.
        """
        card = self.card
        first = [card.off, *([card.words] if card.words else [])]
        tried = list(card.tried)
        best = card.best
        if len(tried) > MOST_COLUMNS:
            tried = [one for one in tried if best.strength == one.strength or same_lora(one, best)]
        if len(tried) > MOST_COLUMNS:
            tried = nearest_to(tried, best, MOST_COLUMNS)
        return (*first, *tried)

    @cached_property
    def compared(self) -> tuple[Condition, ...]:
        """What was tried, over the prompts that all of them have: only these can be compared."""
        card = self.card
        prompts = set.intersection(
            *({sample.prompt for sample in one.samples} for one in card.tried)
        )
        scales = Scales(card.calibration, card.set_calibration or card.calibration, {})
        return tuple(
            condition(
                one.label,
                tuple(sample for sample in one.samples if sample.prompt in prompts),
                scales,
                one.views.value is not None,
                card.off.samples,
                step=one.step,
                strength=one.strength,
            )
            for one in card.tried
        )

    @property
    def chosen(self) -> Condition:
        """The one of ``compared`` that was chosen."""
        number = next(n for n, one in enumerate(self.card.tried) if one is self.card.best)
        return self.compared[number]

    @property
    def counted(self) -> str:
        """Over what ``compared`` is, as in 'the same 4 scenes'."""
        return f"the same {len(self.chosen.scenes)} scenes"

    def _label(self, condition: Condition) -> str:
        if condition is self.card.off:
            return OFF
        return IN_WORDS if condition is self.card.words else condition.label


def lora_name(condition: Condition) -> str:
    """The name of the LoRA without its strength, such as 'step 200'."""
    return condition.label.removesuffix(f" at strength {condition.strength:g}")


def same_lora(one: Condition, other: Condition) -> bool:
    """Whether both are the same LoRA, whatever their strengths."""
    return lora_name(one) == lora_name(other)


def short_name(condition: Condition) -> str:
    """As in 'step 200 x 0.8', with a multiplication sign."""
    if not condition.strength:
        return condition.label
    return f"{lora_name(condition)} {TIMES} {condition.strength:g}"


def nearest_to(tried: Sequence[Condition], best: Condition, count: int) -> list[Condition]:
    """``count`` of ``tried``, evenly spread in their order, with ``best`` among them."""
    stride = (len(tried) - 1) / (count - 1)
    kept = {round(number * stride) for number in range(count)}
    chosen = list(tried).index(best)
    if chosen not in kept:
        kept.remove(min(kept, key=lambda number: abs(number - chosen)))
        kept.add(chosen)
    return [tried[number] for number in sorted(kept)]
