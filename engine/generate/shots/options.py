"""The settings of gates and retries, from the dict that goes over FACET_SHOT_OPTIONS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.character import known_fields
from .gates import GATES, Thresholds
from .remedies import RetryRules

SWITCHES = {gate: f"check_{gate}" for gate in GATES}
"""The setting that switches each gate."""
OWN = {
    "tries": RetryRules().tries,
    "max_yaw_error": Thresholds().max_yaw_error,
    "min_identity": Thresholds().min_identity,
}
"""What the shooting nodes ask for themselves, and their defaults."""


def settings(options: Mapping[str, Any] | None, own: Mapping[str, Any]) -> dict[str, Any]:
    """``options`` with what was changed on the shooting node itself, which wins.

    own: values of the settings in ``OWN``.
    """
    changed = {name: value for name, value in own.items() if value != OWN[name]}
    return {**own, **(options or {}), **changed}


def thresholds_from(values: Mapping[str, Any]) -> Thresholds:
    """The gates' thresholds in ``values``; what is missing has its default."""
    off = frozenset(gate for gate, switch in SWITCHES.items() if not values.get(switch, True))
    return Thresholds(**{**known_fields(Thresholds, values), "off": off})


def rules_from(values: Mapping[str, Any]) -> RetryRules:
    """The rules of the retries in ``values``; what is missing has its default."""
    return RetryRules(**known_fields(RetryRules, values))
