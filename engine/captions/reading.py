"""What a whole caption says about each axis of the tags.

Florence-2 and BLIP take no questions, they write one caption. Only what stands in it in so many
words is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..core.words import ENGLISH, table, words_for
from .asking import heard

_ENDS = (
    r"(?=,?\s+(?:and\s+(?:is|has|are|a\s+smile)\b|standing|sitting|walking|looking|posing|smiling"
    r"|in\s+front|against|with\s+(?:a|an|her|his|their)\b|(?:in|on|at)\s+(?:a|an|the)\b|before|while"
    r"|over\s+(?:a|an|the)\s+(?:\w+\s+)?background)|[.;]|$)"
)
GARMENTS = "(?:" + "|".join(map(re.escape, words_for("read", table(ENGLISH)["garments"]))) + ")"
OUTFIT = (
    re.compile(rf"\b(?:wearing|dressed in|wears|clad in)\s+([^.;]+?){_ENDS}", re.IGNORECASE),
    re.compile(rf"\bin\s+((?:an?\s+)?(?:[\w-]+\s+){{0,3}}{GARMENTS})\b", re.IGNORECASE),
    re.compile(rf"\band\s+(an?\s+(?:[\w-]+\s+){{0,2}}{GARMENTS})\b", re.IGNORECASE),
)
_STOPS = r"(?=\s+and\s+(?:he|she|they|it|the|is|looks|looking)\b|[.;]|$)"
BACKGROUND = tuple(
    re.compile(one, re.IGNORECASE)
    for one in (
        r"\bin the background,?\s+(?:there\s+(?:is|are)|we\s+see|you\s+can\s+see)?\s*"
        rf"(.+?){_STOPS}",
        r"\bbackground\s+(?:is|are|shows|features|consists\s+of|appears\s+to\s+be)\s+"
        rf"(.+?){_STOPS}",
        r"\b(?:with|on|over|against|before)\s+an?\s+((?:[\w-]+\s+){0,3}background)\b",
        r"\b((?:in\s+front\s+of|against|before)\s+(?:an?|the)\s+[^.;,]+)",
    )
)
PLACE = re.compile(
    r"\b((?:in|on|at)\s+(?:an?|the)\s+(?:(?!\b(?:in|on|at|with|wearing|sitting|standing)\b)[^.;,])+)",
    re.IGNORECASE,
)
NO_PLACE = re.compile(
    rf"\b(?:image|picture|photo|middle|left|right|center|centre|foreground|side|shot|pose|style"
    rf"|background|camera|{GARMENTS})\b",
    re.IGNORECASE,
)
LIGHTING = re.compile(
    r"\b((?:[\w-]+\s+){0,2}(?:light|lighting|sunlight|daylight|backlight))\b(?!\s+(?:blue|grey|gray"
    r"|green|brown|red|pink))",
    re.IGNORECASE,
)


def read(caption: str, axis: str) -> str:
    """What ``caption`` says about ``axis``; empty when it says nothing about it."""
    text = " ".join(caption.split())
    if axis == "outfit":
        return _first(OUTFIT, text)
    if axis == "background":
        places = [place for place in PLACE.findall(text) if not NO_PLACE.search(place)]
        return _first(BACKGROUND, text) or (places[-1].strip() if places else "")
    if axis == "lighting":
        return _first((LIGHTING,), text)
    return heard(axis, text).replace("_", " ")


def _first(patterns: Iterable[re.Pattern[str]], text: str) -> str:
    found = (pattern.search(text) for pattern in patterns)
    return next((one[1].strip() for one in found if one), "")
