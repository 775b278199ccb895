"""What the next attempt at a shot does differently, by the cause of failure and the settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.character import Character, known_fields
from ...families.modes import ReferenceMode
from ...studio.judge import Judge
from ..attempts import Attempt
from .gates import (
    FRAMING_GATE,
    GATES,
    IDENTITY_GATE,
    PERSONS_GATE,
    SHARPNESS_GATE,
    VIEW_GATE,
    Gates,
    Thresholds,
)

AVOIDED = {
    SHARPNESS_GATE: "blurry, out of focus",
    PERSONS_GATE: "two people, several people, split picture",
}
"""What a retry adds to the negative, by the gate that failed. A duplicate gets a new seed only."""

Failures = Sequence[Collection[str]]
"""The gates that each attempt so far failed, in order."""


@dataclass(frozen=True)
class RetryRules:
    """How a shot is tried again.

    tries: how often at most. view_words_after: wrong views from which on the view is said in
    stronger words; a framing is from the first. stronger_words, stronger_likeness, negative_words:
    whether these remedies are used; a new seed always is. less_denoise: what img2img's denoise is
    multiplied by, and more_cfg what a cfg above 1 is, for each time it was somebody else.
    """

    tries: int = 3
    view_words_after: int = 2
    stronger_words: bool = True
    stronger_likeness: bool = True
    negative_words: bool = True
    less_denoise: float = 0.85
    more_cfg: float = 1.15


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


def next_attempt(
    first: Attempt,
    failures: Failures,
    rules: RetryRules,
    mode: ReferenceMode,
    prompt: Callable[[Collection[str]], str],
) -> Attempt:
    """The attempt after those with ``failures``, the first of which was ``first``.

    prompt: the prompt with some axes of the tags in stronger words.
    """
    stronger, avoided = stronger_axes(failures, rules), added_to_negative(failures, rules)
    times = _times(failures, IDENTITY_GATE) if rules.stronger_likeness else 0
    attempt = replace(
        more_like_the_original(first, times, mode, rules),
        seed=(first.seed + len(failures)) % 2**63,
        prompt=prompt(stronger),
        negative=", ".join(part for part in (first.negative, *avoided) if part),
    )
    reasons = ["new seed", *(f"stronger words for the {axis}" for axis in stronger)]
    reasons += ["additions to the negative prompt"] if avoided else []
    likeness = (attempt.cfg, attempt.denoise, attempt.blind_negative)
    if likeness != (first.cfg, first.denoise, first.blind_negative):
        reasons.append("more of the original")
    return replace(attempt, reason=", ".join(reasons) if failures else "")


def stronger_axes(failures: Failures, rules: RetryRules) -> tuple[str, ...]:
    """The axes of the tags that are said in stronger words."""
    stronger = []
    if rules.stronger_words:
        if _times(failures, VIEW_GATE) >= max(1, rules.view_words_after):
            stronger.append("view")
        if _times(failures, FRAMING_GATE):
            stronger.append("framing")
    return tuple(stronger)


def added_to_negative(failures: Failures, rules: RetryRules) -> tuple[str, ...]:
    """What is added to the negative prompt."""
    words = [words for gate, words in AVOIDED.items() if _times(failures, gate)]
    return tuple(words) if rules.negative_words else ()


def more_like_the_original(
    first: Attempt, times: int, mode: ReferenceMode, rules: RetryRules
) -> Attempt:
    """``first`` with more of the original, after it was somebody else so many ``times``.

    img2img starts nearer to the original. A model that sees it and is sampled with a cfg above 1
    takes it out of the negative first, and raises the cfg from then on. Anything else (a distilled
    model at cfg 1, a MODEL with a LoRA or patched by other nodes) has nothing to turn here, and
    gets a new seed.
    """
    if mode is ReferenceMode.IMG2IMG:
        return replace(first, denoise=first.denoise * rules.less_denoise**times)
    blind = mode in (ReferenceMode.PATCHED_MODEL, ReferenceMode.TRAINED_LORA)
    cfg = first.cfg or 0.0
    if blind or cfg <= 1 or not times:
        return first
    raised = times if first.blind_negative else times - 1
    return replace(first, cfg=cfg * rules.more_cfg**raised, blind_negative=True)


def _times(failures: Failures, gate: str) -> int:
    return sum(gate in one for one in failures)


def settings(options: Mapping[str, Any] | None, own: Mapping[str, Any]) -> dict[str, Any]:
    """FACET_SHOT_OPTIONS with what was changed on the judge itself, which wins.

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
