"""Pictures that are asked for to find one thing out: attributes, the trigger alone, leaks.

The other prompts mix clothes, places, framings and views, see protocol.py. These hold all but one
thing still.
"""

from __future__ import annotations

import re

from ..core.character import Character, Tags
from ..core.vocabulary import VOCABULARY
from .protocol import ATTRIBUTE, LEAK, PLACES, SCENE, TRIGGER, TestPrompt, known_text

ATTRIBUTES = ("wearing glasses", "with a ponytail", "wearing a hat", "with a scarf")
VIEWS = ("front", "three_quarter_left", "three_quarter_right")


def attribute_prompts(character: Character, count: int, seed: int) -> tuple[TestPrompt, ...]:
    """``count`` prompts with something on that no caption of the dataset names."""
    known = known_text(character)
    unseen = [one for one in ATTRIBUTES if f" {one.split()[-1]} " not in known] or list(ATTRIBUTES)
    return tuple(
        TestPrompt(
            Tags(
                framing="close_up",
                view=VIEWS[number % len(VIEWS)],
                lighting="natural",
                details=(unseen[number % len(unseen)],),
            ),
            _seed(seed, 1, number),
            ATTRIBUTE,
        )
        for number in range(count)
    )


def trigger_prompts(count: int, seed: int) -> tuple[TestPrompt, ...]:
    """The trigger and class word alone, ``count`` seeds of it: what the LoRA draws by itself."""
    return tuple(TestPrompt(Tags(), _seed(seed, 2, number), TRIGGER) for number in range(count))


def leak_prompts(count: int, seed: int) -> tuple[TestPrompt, ...]:
    """``count`` prompts that name no garment."""
    return tuple(
        TestPrompt(
            Tags(
                framing=("close_up", "medium")[number % 2],
                view=VIEWS[number % len(VIEWS)],
                expression="neutral",
                background=PLACES[number % len(PLACES)],
                lighting="natural",
            ),
            _seed(seed, 3, number),
            LEAK,
        )
        for number in range(count)
    )


def own_prompts(text: str, seed: int) -> tuple[TestPrompt, ...]:
    """A prompt for each line of ``text`` that is not empty; the trigger is put before each.

    Words of the vocabulary, such as "left profile", are known as the view, framing or expression
    that they ask for, so that it can be measured. A line that begins with ``leak:`` names no
    garment and shows whether one of the dataset's appears all the same.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return tuple(_own(line, _seed(seed, 0, number)) for number, line in enumerate(lines))


def _own(line: str, seed: int) -> TestPrompt:
    leak = re.match(r"leak\s*:\s*(.*)", line, flags=re.IGNORECASE)
    words = leak[1] if leak else line
    found: dict[str, str] = {}
    details = []
    for phrase in filter(None, (part.strip() for part in words.split(","))):
        axis, value = _known(phrase)
        if axis and axis not in found:
            found[axis] = value
        else:
            details.append(phrase)
    return TestPrompt(Tags(**found, details=tuple(details)), seed, LEAK if leak else SCENE, words)


def _known(phrase: str) -> tuple[str, str]:
    """The axis and value that say ``phrase``; two empty texts when none does."""
    said = phrase.lower()
    for axis, values in VOCABULARY.items():
        for value, words in values.items():
            if said in (words, value, value.replace("_", " ")):
                return axis, value
    return "", ""


def _seed(seed: int, kind: int, number: int) -> int:
    """Seeds of the kinds lie apart, so that no two prompts begin with the same noise."""
    return (seed + 10_000 * kind + number) % 2**64
