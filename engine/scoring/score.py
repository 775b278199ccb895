"""The score card: identity, obedience and copying, three numbers that are never made into one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from ..vision.clothes import Garment
from .calibrate import Calibration
from .condition import Condition
from .verdict import verdict


@dataclass(frozen=True)
class ScoreCard:
    """What was found out about a character's LoRA.

    ``off`` is the model without it, ``tried`` every checkpoint and strength in the order of trying,
    each over the first few prompts, and ``best`` the one that was chosen, over all of them.
    ``words`` is the character described in words without the LoRA, when that was asked for.
    ``notes`` say what could not be measured, and why. ``garment``: what the leak probes look for.
    ``shots``: the training pictures in words, by their hashes. ``set_calibration``: the scale of
    likeness with them.
    """

    character: str
    trigger: str
    class_word: str
    character_hash: str
    calibration: Calibration
    off: Condition
    tried: tuple[Condition, ...]
    best: Condition
    words: Condition | None
    notes: tuple[str, ...]
    settings: dict[str, Any]
    usual_cosine: float | None = None
    garment: Garment | None = None
    shots: dict[str, str] = field(default_factory=dict)
    set_calibration: Calibration | None = None

    @cached_property
    def verdict(self) -> str:
        """What to do, in a few sentences; verdict.py holds the rules."""
        return verdict(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values, the verdict first."""
        values = asdict(self)
        calibration = {
            "null_median": self.calibration.null_median,
            "positive_median": self.calibration.positive_median,
            "gap": self.calibration.gap,
            "separation": self.calibration.separation,
            "reproduction": self.calibration.reproduction,
            "problem": self.calibration.problem,
        }
        return {
            "verdict": self.verdict,
            "identity": asdict(self.best.identity),
            "identity_off": asdict(self.off.identity),
            "strangers": self.best.strangers,
            "views": asdict(self.best.views),
            "framings": asdict(self.best.framings),
            "expressions": asdict(self.best.expressions),
            "colours": asdict(self.best.colours),
            "copies": asdict(self.best.copies),
            "figures": asdict(self.best.figures),
            "leaks": asdict(self.best.leaks),
            "unspoiled": asdict(self.best.unspoiled),
            **values,
            "calibration": {**values["calibration"], **calibration},
        }

    def rows(self) -> list[dict[str, Any]]:
        """One flat row for each picture, as for a spreadsheet."""
        conditions = [self.off, *([self.words] if self.words else []), *self.tried]
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
                "yaw_asked": sample.prompt.tags.yaw,
                "yaw_measured": sample.yaw,
                "right_view": sample.right_view,
                "framing_seen": sample.shown.framing,
                "right_framing": sample.right_framing,
                "expression_seen": sample.shown.expression,
                "right_expression": sample.right_expression,
                "clothes_seen": " or ".join(sample.shown.clothes or ()),
                "background_seen": " or ".join(sample.shown.backdrop or ()),
                "right_colours": all(sample.right_colours) if sample.right_colours else None,
                "nearest_shot": sample.nearest.shot,
                "nearest_psnr": sample.nearest.psnr,
                "nearest_ssim": sample.nearest.ssim,
                "nearest_cosine": sample.nearest.cosine,
                "copied": sample.nearest.copied,
                "nearest_excess": sample.nearest.excess,
                "nearest_face_ssim": sample.nearest.face,
                "nearest_figure": sample.nearest.figure and sample.nearest.figure.shot,
                "nearest_figure_ssim": sample.nearest.figure and sample.nearest.figure.ssim,
                "figure_copied": sample.nearest.figure and sample.nearest.figure.copied,
                "sharpness": sample.sharpness,
                "chroma": sample.chroma,
                "wears_own": sample.wears_own,
            }
            for one in conditions
            for sample in one.samples
        ]
