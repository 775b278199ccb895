"""What the metadata of a LoRA file says: how its characters are called, and what they look like.

Every trainer writes the trigger elsewhere, and a file may hold anything at all: what makes no sense
is passed over.

    Facet            facet.trigger, facet.class_word
    modelspec        modelspec.trigger_phrase, and the spellings of it that tools have
    SimpleTuner      trained_words
    kohya's scripts  the folder's name in ss_dataset_dirs, such as 10_zqx person
    FluxGym          class_tokens in ss_datasets, for sd-scripts writes a dataset's config there
    ai-toolkit       the folder's name in ss_tag_frequency
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import category

from ..core.errors import FacetError
from ..store.json_files import MANY, parse_json

_PHRASE_KEYS = {
    "triggerphrase",
    "triggerphrases",
    "triggerword",
    "triggerwords",
    "trigger",
    "triggers",
    "trainedword",
    "trainedwords",
    "activationtext",
    "activationword",
    "activationwords",
    "instanceprompt",
}
"""Names of what holds trigger phrases, without what stands before them and between their words."""

_NOTHING = {"", "[]", "{}", "none", "null", "n/a", "undefined"}
_LONGEST_PHRASE = 120
_LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Calls:
    """How prompts call a character: ``zqx person``. Empty where nobody says it."""

    trigger: str = ""
    class_word: str = ""

    @property
    def text(self) -> str:
        """As in 'zqx person'."""
        return f"{self.trigger} {self.class_word}".strip()


def called(phrase: str) -> Calls:
    """The trigger and the class word in a phrase such as 'zqx person'."""
    trigger, _, rest = phrase.strip().partition(" ")
    return Calls(trigger, rest.strip())


def calls_in(metadata: Mapping[str, str]) -> tuple[Calls, ...]:
    """How the characters of the LoRA with this ``metadata`` are called; empty when nothing says."""
    phrases = _called(_phrases(metadata))
    trigger = _line(metadata.get("facet.trigger"))
    if trigger:
        own = Calls(trigger, _line(metadata.get("facet.class_word")))
        return (own, *(one for one in phrases if one.trigger != trigger))
    folders = _json(metadata.get("ss_dataset_dirs"), dict)
    counted = _json(metadata.get("ss_tag_frequency"), dict)
    # Strangers that the class was kept with; their folder has a number as well.
    kept = _json(metadata.get("ss_reg_dataset_dirs"), dict)
    return (
        phrases
        or _called(map(_of_folder, folders))
        or _called(_config_tokens(metadata))
        or _called(_of_folder(name) for name in counted if name not in kept)
    )


def says_in(metadata: Mapping[str, str]) -> list[str]:
    """What ``metadata`` tells of the pictures in words: a description, and frequent tags.

    kohya counts the tags of each folder; those of half of the pictures or more are given.
    """
    tags: Counter[str] = Counter()
    pictures = 0
    folders = _json(metadata.get("ss_dataset_dirs"), dict)
    for name, counts in _json(metadata.get("ss_tag_frequency"), dict).items():
        if isinstance(counts, dict):
            numbers = {str(tag): n for tag, n in counts.items() if isinstance(n, int)}
            tags.update(numbers)
            folder = folders.get(name)
            known = folder.get("img_count") if isinstance(folder, dict) else None
            pictures += known if isinstance(known, int) else max(numbers.values(), default=0)
    frequent = [_line(tag) for tag, n in tags.items() if 2 * n >= pictures > 0]
    description = _line(metadata.get("modelspec.description", "")[:_LONGEST_TEXT], _LONGEST_TEXT)
    return [text for text in (description, *frequent) if text]


def _phrases(metadata: Mapping[str, str]) -> Iterator[str]:
    for key, text in metadata.items():
        name = key.removeprefix("modelspec.").removeprefix("ss_")
        if re.sub(r"[\W_]", "", name).lower() in _PHRASE_KEYS:
            listed = _json(text, list)
            yield from (one for one in listed or text.split(",") if isinstance(one, str))


def _of_folder(name: str) -> str:
    """What kohya's scripts take for the caption in '10_zqx person'; '' for other names."""
    found = re.fullmatch(r"\d+_(.+)", name, re.DOTALL)
    return found[1] if found else ""


def _config_tokens(metadata: Mapping[str, str]) -> Iterator[str]:
    """What a dataset's config in ss_datasets calls its pictures, but for those of strangers."""
    for dataset in _json(metadata.get("ss_datasets"), list):
        subsets = dataset.get("subsets") if isinstance(dataset, dict) else None
        for subset in subsets if isinstance(subsets, list) else ():
            if not isinstance(subset, dict) or subset.get("is_reg"):
                continue
            folder = re.split(r"[\\/]", str(subset.get("image_dir") or "").rstrip("\\/"))[-1]
            tokens = subset.get("class_tokens")
            yield tokens if isinstance(tokens, str) and _line(tokens) else _of_folder(folder)


def _called(phrases: Iterator[str]) -> tuple[Calls, ...]:
    found = (called(_line(phrase)) for phrase in phrases)
    return tuple(dict.fromkeys(one for one in found if one.trigger.lower() not in _NOTHING))


def _line(text: Any, longest: int = _LONGEST_PHRASE) -> str:
    """``text`` as one line that can be shown and encoded; '' where it is none, or far too long."""
    if not isinstance(text, str) or len(text) > longest:
        return ""
    return " ".join("".join(" " if category(one) in ("Cc", "Cs") else one for one in text).split())


def _json(text: str | None, kind: type) -> Any:
    """The JSON value of ``kind`` in ``text``; an empty one where it holds none."""
    try:
        value = parse_json(text or "", "metadata", MANY)
    except FacetError:
        return kind()
    return value if isinstance(value, kind) else kind()
