"""A LoRA file and what it says of itself: its trigger, its class word, its family, its tags."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...comfyui.apply import LoraWeights
from ...comfyui.lora_file import read_lora
from ...core.character import Character

_FAMILY = ("ss_base_model_version", "modelspec.architecture")


@dataclass(frozen=True)
class Calls:
    """How prompts call a character: ``zqx person``. Empty where nobody says it."""

    trigger: str = ""
    class_word: str = ""

    @property
    def text(self) -> str:
        """As in 'zqx person'."""
        return f"{self.trigger} {self.class_word}".strip()


@dataclass(frozen=True, eq=False)
class LoraFile:
    """A LoRA's weights and metadata; ``name`` is what to call it in a sentence."""

    weights: LoraWeights
    name: str = "the LoRA"
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> tuple[Calls, ...]:
        """How the characters in it are called, by its metadata; empty when that does not say.

        Facet's own keys are read, the modelspec's trigger phrase, and kohya's folder names such as
        ``10_zqx person``.
        """
        told = self.metadata
        phrases = told.get("modelspec.trigger_phrase", "").split(",")
        if told.get("facet.trigger"):
            own = Calls(told["facet.trigger"], told.get("facet.class_word", ""))
            rest = [called(phrase) for phrase in phrases]
            return (own, *(one for one in rest if one.trigger not in ("", own.trigger)))
        found = [called(phrase) for phrase in phrases if phrase.strip()]
        if not found:
            folders = _json(told.get("ss_dataset_dirs"))
            names = [re.fullmatch(r"\d+_(.+)", name) for name in folders]
            found = [called(name[1]) for name in names if name]
        return tuple(dict.fromkeys(one for one in found if one.trigger))

    @property
    def character(self) -> str:
        """The character's name; the file's own where the metadata does not say."""
        return self.metadata.get("facet.character") or self.name

    @property
    def family(self) -> str:
        """The family of models that it was trained on, in the words of its metadata."""
        return next((self.metadata[key] for key in _FAMILY if self.metadata.get(key)), "")

    @property
    def says(self) -> list[str]:
        """What its metadata tells of its pictures in words: a description, and frequent tags.

        kohya counts the tags of each folder; those of half of the pictures or more are given.
        """
        tags: Counter[str] = Counter()
        pictures = 0
        for name, counts in _json(self.metadata.get("ss_tag_frequency")).items():
            if isinstance(counts, dict):
                numbers = {str(tag): n for tag, n in counts.items() if isinstance(n, int)}
                tags.update(numbers)
                folder = _json(self.metadata.get("ss_dataset_dirs")).get(name)
                known = folder.get("img_count") if isinstance(folder, dict) else None
                pictures += known if isinstance(known, int) else max(numbers.values(), default=0)
        frequent = [tag.strip() for tag, n in tags.items() if 2 * n >= pictures > 0]
        description = self.metadata.get("modelspec.description", "")
        return [text for text in (description, *frequent) if text]


def called(phrase: str) -> Calls:
    """The trigger and the class word in a phrase such as 'zqx person'."""
    trigger, _, rest = phrase.strip().partition(" ")
    return Calls(trigger, rest.strip())


def read_lora_file(path: Path) -> LoraFile:
    """The LoRA in ``path``; raises ValueError as ``read_lora`` does."""
    weights, metadata = read_lora(path)
    return LoraFile(weights, path.stem, metadata)


def agreed(character: Character | None, lora: LoraFile | None) -> tuple[Calls, str]:
    """How to call the character, and a note where ``character`` and ``lora`` disagree.

    The LoRA's own word wins: another was never learned.
    """
    known = lora.calls if lora else ()
    if character is None:
        return (known[0] if known else Calls()), ""
    own = Calls(character.trigger, character.class_word)
    match = next((one for one in known if one.trigger == own.trigger), None)
    if not known or match:
        return own, ""
    note = (
        f"The LoRA's file gives its trigger as '{known[0].trigger}', the character has "
        f"'{own.trigger}'; the LoRA's is used."
    )
    return Calls(known[0].trigger, known[0].class_word or own.class_word), note


def _json(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
