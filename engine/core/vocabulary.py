"""What a shot can be tagged with: the axes, the values of each, and what a view or framing hides.

The values in the words of each language stand in ``words/``; see docs/adding-a-language.md.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType

VOCABULARY = MappingProxyType(
    {
        "framing": {
            "close_up": "close-up",
            "medium": "medium shot",
            "full": "full body",
        },
        "view": {
            "front": "front view",
            "three_quarter_left": "three-quarter view left",
            "three_quarter_right": "three-quarter view right",
            "profile_left": "left profile",
            "profile_right": "right profile",
            "back": "back view",
            "top": "seen from above",
            "low": "seen from below",
        },
        "expression": {
            "neutral": "neutral expression",
            "smile": "smiling",
            "serious": "serious expression",
            "surprised": "surprised",
            "sad": "sad",
            "angry": "angry",
        },
        "pose": {
            "standing": "standing",
            "arms_raised": "arms raised",
            "waving": "waving",
            "hands_on_hips": "hands on hips",
            "sitting": "sitting",
            "walking": "walking",
        },
        "outfit": {},
        "background": {},
        "lighting": {
            "natural": "natural light",
            "warm": "warm light",
            "side": "dramatic side light",
            "back": "backlight",
            "low": "low light",
        },
    }
)
"""The controlled values of each axis and the English that says them, in the order of a caption.

An axis with no values is free text (an outfit is worn, a background is said as it stands).
"""

AXES = (*VOCABULARY, "details")
"""The axes, and the free details that end a caption."""

VIEW_YAW = MappingProxyType(
    {
        "front": 0.0,
        "three_quarter_left": -45.0,
        "three_quarter_right": 45.0,
        "profile_left": -90.0,
        "profile_right": 90.0,
        "back": 180.0,
        "top": 0.0,
        "low": 0.0,
    }
)
"""Yaw of each view in degrees: negative when the nose points to the left edge of the image."""

HIDES = MappingProxyType({("view", "back"): "expression", ("framing", "close_up"): "pose"})
"""The axis that a value of another one hides: no expression from behind, no pose in a close-up."""


PEOPLE = ("", "", "two people", "three people", "a group of people")
"""How a caption's details say how many people a picture shows; from the last on, any number."""


def people_in_words(count: int) -> str:
    """``count`` people in English, '' for one or none."""
    return PEOPLE[min(count, len(PEOPLE) - 1)]


def phrase(axis: str, value: str) -> str:
    """``value`` of ``axis`` in English: free text as it stands."""
    return VOCABULARY.get(axis, {}).get(value, value)


def spoken(axis: str, value: str) -> str:
    """``value`` of ``axis`` as an English caption says it: an outfit is worn."""
    return f"wearing {value}" if axis == "outfit" else phrase(axis, value)


def in_order(axis: str, counts: Counter[str]) -> list[str]:
    """The values in ``counts``: known ones in their order, then free text by how often."""
    known = [value for value in VOCABULARY[axis] if value in counts]
    return known + [value for value, _ in counts.most_common() if value not in VOCABULARY[axis]]
