"""What stands beside the pictures so that a trainer, or a person, can begin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..core.character import Character
from ..families.family import Family
from .kohya import BATCH_FILE, DATASET_FILE, SHELL_FILE, dataset_toml, train_bat, train_sh
from .layouts import PROMPTS, Layout, library
from .trainers import (
    AI_TOOLKIT_FILE,
    CONCEPTS_FILE,
    ONETRAINER_FILE,
    ai_toolkit_yaml,
    onetrainer_concepts,
    onetrainer_config,
)


def support_files(
    folder: Path, character: Character, layout: Layout, family: Family, pictures: Iterable[str]
) -> tuple[dict[str, str], list[str]]:
    """Texts by file name for ``layout`` in ``folder``, and what there is to say about them.

    pictures: the picture files, relative to ``folder``.
    """
    made: dict[str, Callable[[], str | None]] = {}
    trainer = ""
    if layout is Layout.KOHYA:
        trainer = "sd-scripts"
        made = {
            DATASET_FILE: lambda: dataset_toml(folder, character, pictures),
            SHELL_FILE: lambda: train_sh(character, family),
            BATCH_FILE: lambda: train_bat(character, family),
        }
    elif layout is Layout.AI_TOOLKIT:
        trainer = "ai-toolkit"
        made = {AI_TOOLKIT_FILE: lambda: ai_toolkit_yaml(folder, character, family)}
    elif layout is Layout.ONETRAINER:
        trainer = "OneTrainer"
        made = {
            CONCEPTS_FILE: lambda: onetrainer_concepts(folder, character),
            ONETRAINER_FILE: lambda: onetrainer_config(folder, character, family),
        }
    elif layout is Layout.ASSET_LIBRARY:
        made = {f"{library(layout, character)}{PROMPTS}": lambda: prompts_txt(character)}
    texts = {name: make() for name, make in made.items()}
    missing = [name for name, text in texts.items() if text is None]
    notes = []
    if missing:
        notes = [
            f"There is no recipe to train {family.label} with {trainer}, "
            f"so {' and '.join(missing)} was left out; choose another family for it."
        ]
    return {name: text for name, text in texts.items() if text is not None}, notes


def prompts_txt(character: Character) -> str:
    """How to call the character, and every caption once: prompts to begin with."""
    captions = [" ".join(shot.caption.split()) for shot in character.dataset]
    lines = [" ".join(character.phrase.split()), *(text for text in captions if text)]
    return "\n".join(dict.fromkeys(lines)) + "\n"
