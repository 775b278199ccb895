"""Variants of a score with other metrics than were measured: what the verdict has to cope with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from statistics import median
from typing import Any

from facet.engine.scoring.calibrate import Interval
from facet.engine.scoring.metrics import METRICS
from facet.engine.scoring.variant import Variant


def changed(variant: Variant, **values: Any) -> Variant:
    """``variant`` with other fields, and with other values of the metrics of those names."""
    own = {one.name for one in fields(Variant)}
    metrics = {name: value for name, value in values.items() if name not in own}
    assert metrics.keys() <= {one.name for one in METRICS}
    given = {name: value for name, value in values.items() if name in own}
    return replace(variant, metrics={**variant.metrics, **metrics}, **given)


def tried(variant: Variant, step: int, strength: float, scores: Sequence[float], **values: Any):
    """``variant`` as a step at a strength whose scenes have ``scores``, with other metrics."""
    middle = median(scores)
    samples = tuple(
        replace(one, score=score) for one, score in zip(variant.scenes, scores, strict=False)
    )
    return changed(
        variant,
        label=f"step {step} at strength {strength:g}",
        step=step,
        strength=strength,
        samples=samples,
        **{"identity": Interval(middle, middle - 0.1, middle + 0.1, len(scores)), **values},
    )
