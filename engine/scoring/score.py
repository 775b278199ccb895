"""The score card: every metric by itself, and none made of two."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from ..vision.clothes import Garment
from . import metrics
from .calibrate import Calibration, Scales
from .metrics import IDENTITY, VIEWS
from .variant import Variant, variant
from .verdict import verdict


@dataclass(frozen=True)
class ScoreCard:
    """What was found out about a character's LoRA.

    ``off`` is the model without it, ``tried`` every checkpoint and strength in the order of trying,
    each over as many scenes as it took to tell it from the best, and ``best`` the one that was
    chosen, over all prompts.
    ``words`` is the character described in words without the LoRA, when that was asked for.
    ``notes`` say what could not be measured, and why. ``garment``: what the leak probes look for.
    ``shots``: the training images in words, by their hashes. ``set_calibration``: the scale of
    similarity with them. ``held_out_calibration``: with the held-out pictures.
    """

    character: str
    trigger: str
    class_word: str
    character_hash: str
    calibration: Calibration
    off: Variant
    tried: tuple[Variant, ...]
    best: Variant
    words: Variant | None
    notes: tuple[str, ...]
    settings: dict[str, Any]
    usual_cosine: float | None = None
    garment: Garment | None = None
    shots: dict[str, str] = field(default_factory=dict)
    set_calibration: Calibration | None = None
    held_out_calibration: Calibration | None = None

    @cached_property
    def verdict(self) -> str:
        """What to do, in a few sentences; verdict.py holds the rules."""
        return verdict(self)

    @cached_property
    def compared(self) -> tuple[Variant, ...]:
        """``tried``, the chosen one over no more prompts than the others were compared on."""
        others = [one for one in self.tried if one.label != self.best.label]
        if not others:
            return self.tried
        most = max(others, key=lambda one: len(one.samples))
        return tuple(self.over(one, most) for one in self.tried)

    @property
    def chosen(self) -> Variant:
        """The one of ``compared`` that was chosen."""
        return next(one for one in self.compared if one.label == self.best.label)

    def over(self, one: Variant, other: Variant) -> Variant:
        """``one`` over those of its samples whose prompts ``other`` has, too."""
        prompts = {sample.prompt for sample in other.samples}
        few = tuple(sample for sample in one.samples if sample.prompt in prompts)
        if len(few) == len(one.samples):
            return one
        return variant(
            one.label,
            few,
            Scales(
                self.calibration,
                self.set_calibration or self.calibration,
                {},
                self.held_out_calibration,
            ),
            one[VIEWS].value is not None,
            self.off.samples,
            step=one.step,
            strength=one.strength,
        )

    @property
    def measured_by(self) -> str:
        """The encoder, and whether it compares appearance or recognises faces; '' if unknown."""
        return str(self.settings.get("measured_by") or "")

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values, the verdict first."""
        values = {one.name: _plain(getattr(self, one.name)) for one in fields(self)}
        scale = self.calibration
        values["calibration"] |= {
            "null_median": scale.null_median,
            "positive_median": scale.positive_median,
            "gap": scale.gap,
            "separation": scale.separation,
            "reproduction": scale.reproduction,
            "problem": scale.problem,
        }
        headline = {one.name: asdict(self.best[one]) for one in metrics.METRICS if one.headline}
        return {
            "verdict": self.verdict,
            IDENTITY.name: headline[IDENTITY.name],
            f"{IDENTITY.name}_off": asdict(self.off[IDENTITY]),
            "strangers": self.best.strangers,
            **headline,
            **values,
        }

    def rows(self) -> list[dict[str, Any]]:
        """One flat row for each sample, as for a spreadsheet."""
        return [
            {
                "condition": one.label,
                "kind": sample.prompt.kind,
                "step": one.step,
                "strength": one.strength,
                "seed": sample.prompt.seed,
                "prompt": sample.text,
                "cosine": sample.similarity,
                "cosine_with_set": sample.to_set,
                "score": sample.score,
                "face": sample.face,
                **{
                    name: value(sample)
                    for metric in metrics.METRICS
                    for name, value in metric.columns.items()
                },
                "sharpness": sample.sharpness,
                "chroma": sample.chroma,
                "wears_own": sample.wears_own,
            }
            for one in (self.off, *([self.words] if self.words else []), *self.tried)
            for sample in one.samples
        ]

    def stamp(self) -> str:
        """The score as one line of JSON: metrics with their intervals, and what measured them."""
        best = self.best
        values = {one.name: best[one] for one in metrics.METRICS if one.headline}
        return json.dumps(
            {
                "verdict": self.verdict,
                "strength": best.strength,
                **({} if best.step is None else {"step": best.step}),
                **{
                    name: [one.value, one.low, one.high, one.count]
                    for name, one in values.items()
                    if one.value is not None
                },
                "character": self.character,
                "dataset_hash": self.character_hash,
                "measured_by": self.measured_by,
            },
            ensure_ascii=False,
        )


def _plain(value: Any) -> Any:
    """``value`` as JSON takes it."""
    if isinstance(value, Variant):
        return value.to_dict()
    if isinstance(value, Calibration | Garment):
        return asdict(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
