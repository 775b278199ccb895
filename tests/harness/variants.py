"""Variants of a score with other metrics than were measured: what the verdict has to cope with."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from facet.engine.scoring.metrics import METRICS
from facet.engine.scoring.variant import Variant


def changed(variant: Variant, **values: Any) -> Variant:
    """``variant`` with other fields, and with other values of the metrics of those names."""
    own = {one.name for one in fields(Variant)}
    metrics = {name: value for name, value in values.items() if name not in own}
    assert metrics.keys() <= {one.name for one in METRICS}
    given = {name: value for name, value in values.items() if name in own}
    return replace(variant, metrics={**variant.metrics, **metrics}, **given)
