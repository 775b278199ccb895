"""The gates of a judge and its rules of the retries, from the settings that it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.character import Character
from ...core.records import known_fields
from ...studio.judge import Judge
from .gates import GATES, Gates, Thresholds
from .remedies import RetryRules

SWITCHES = {gate: f"check_{gate}" for gate in GATES}
"""The setting that switches each gate."""
OWN = {
    "tries": RetryRules().tries,
    "max_yaw_error": Thresholds().max_yaw_error,
    "min_identity": Thresholds().min_identity,
}
"""What the judge asks for itself, and its defaults."""


def gates_of(judge: Judge, character: Character) -> Gates:
    """The gates that ``judge`` holds shots of ``character`` to."""
    return Gates(
        character.source.image,
        thresholds_from(judge.options),
        judge.face_model,
        judge.clip_vision,
        judge.person_detector,
        judge.pose_model,
    )


def settings(options: Mapping[str, Any] | None, own: Mapping[str, Any]) -> dict[str, Any]:
    """``options`` with what was changed on the judge itself, which wins.

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
