"""What a dataset should show and does not, by the guides' advice for a character."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from ...core.vocabulary import VOCABULARY
from ...vision.framing import bands_of, framing_of, view_of
from .finding import SET_KINDS, Finding, found
from .looks import Look, face_share

FEWEST, ADVISED = 15, 25
FRAMINGS = MappingProxyType({"close_up": 0.4, "medium": 0.3, "full": 0.3})
"""Shares of the pictures; less than half of one is a hole."""
WANTED = MappingProxyType(
    {
        "view": (
            ("front",), ("three_quarter_left",), ("three_quarter_right",),
            ("profile_left", "profile_right"), ("top",), ("low",),
        ),
        "expression": (("neutral",), ("smile",), ("serious",), ("surprised",), ("sad",)),
        "lighting": (("natural",), ("warm",), ("side",), ("back",), ("low",)),
    }
)  # fmt: skip
"""Values of which at least one picture is wanted; any of those that stand together will do."""
PLAIN = ("plain", "white background", "grey background", "studio", "seamless")
PLAIN_SHARE = 0.3
OUTFITS = 3
KNOWN = 0.5
"""Share of the pictures in which an axis has to be tagged for its holes to mean anything."""

EFFECTS = MappingProxyType(
    {
        "view": "The LoRA has to guess what the character looks like from there.",
        "framing": "Images in this framing come out less similar.",
        "expression": "The face stiffens into the expressions that it knows.",
        "lighting": "The light becomes part of the character, and resists prompts for another.",
        "background": "The place becomes part of the character, and appears unprompted.",
        "outfit": "The clothes become part of the character, and appear unprompted.",
    }
)


def coverage_findings(
    seen: Sequence[Look], face_model: Any = None
) -> tuple[list[Finding], list[str]]:
    """The holes in what ``seen`` shows, and the axes that could not be judged."""
    findings, skipped = count(len(seen)), []
    for axis, judge in (
        *((axis, missing) for axis in WANTED),
        ("framing", framings),
        ("background", backgrounds),
        ("outfit", outfits),
    ):
        values = [value for look in seen if (value := _value(look, axis, face_model))]
        if len(values) < KNOWN * len(seen) or not values:
            skipped.append(
                f"Coverage of {axis}: skipped, {len(values)} of {len(seen)} images have it tagged."
            )
        else:
            findings += judge(axis, Counter(values))
    return findings, skipped


def count(pictures: int) -> list[Finding]:
    """Whether there are enough pictures."""
    if pictures >= ADVISED:
        return []
    few = pictures < FEWEST
    return [
        found(
            "too_few" if few else "coverage",
            (),
            f"There are {pictures} images; at least {FEWEST} are needed, {ADVISED} are advised.",
            about="count",
            effect=SET_KINDS["too_few"].effect,
            remedy=SET_KINDS["too_few"].remedy,
        )
    ]


def missing(axis: str, values: Counter[str]) -> list[Finding]:
    """Values of ``axis`` that no picture shows."""
    findings = []
    for wanted in WANTED[axis]:
        if not any(values[value] for value in wanted):
            words = " or ".join(VOCABULARY[axis][value] for value in wanted)
            name = wanted[0] if len(wanted) == 1 else "profile"
            findings.append(_hole(axis, name, f"No image is tagged {words}."))
    return findings


def framings(axis: str, values: Counter[str]) -> list[Finding]:
    """Framings with less than half of the share that is advised."""
    total = sum(values[framing] for framing in FRAMINGS)
    return [
        _hole(
            axis,
            framing,
            f"{values[framing]} of {total} images are {VOCABULARY[axis][framing]}; "
            f"{share:.0%} are advised.",
        )
        for framing, share in FRAMINGS.items()
        if values[framing] < share / 2 * total
    ]


def backgrounds(axis: str, values: Counter[str]) -> list[Finding]:
    """Less than half of the plain, or of the varied, backgrounds that are advised."""
    total = values.total()
    plain = sum(number for value, number in values.items() if is_plain(value))
    varied = {value for value in values if not is_plain(value)}
    findings = []
    if plain < PLAIN_SHARE / 2 * total:
        says = f"{plain} of {total} backgrounds are plain; {PLAIN_SHARE:.0%} are advised."
        findings.append(_hole(axis, "plain", says))
    if total - plain < (1 - PLAIN_SHARE) / 2 * total or len(varied) < OUTFITS:
        says = (
            f"{total - plain} of {total} backgrounds show a place, {len(varied)} different ones; "
            f"{1 - PLAIN_SHARE:.0%} and {OUTFITS} or more are advised."
        )
        findings.append(_hole(axis, "varied", says))
    return findings


def outfits(axis: str, values: Counter[str]) -> list[Finding]:
    """Too few different outfits."""
    if len(values) >= OUTFITS:
        return []
    plural = "s" * (len(values) != 1)
    says = f"All images show {len(values)} outfit{plural}; {OUTFITS} or 4 are advised."
    return [_hole(axis, "", says)]


def is_plain(background: str) -> bool:
    """Whether the words name a plain background."""
    return any(word in background.casefold() for word in PLAIN)


def _hole(axis: str, value: str, says: str) -> Finding:
    return found("coverage", (), says, about=f"{axis} {value}".strip(), effect=EFFECTS[axis])


def _value(look: Look, axis: str, face_model: Any) -> str:
    """The tag, or for view and framing what the face shows where there is none."""
    tagged: str = getattr(look.shot.tags, axis)
    if tagged or look.face is None or axis not in ("view", "framing"):
        return tagged
    if axis == "framing":
        return framing_of(face_share(look) or 0.0, bands_of(face_model))
    return view_of(look.face.yaw)
