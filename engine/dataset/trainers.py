"""The files that tell a trainer, or a person, how to begin with an exported dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import gcd, lcm
from pathlib import Path
from typing import Any

from ..core.character import Character
from ..families.family import Family
from ..families.recipes import ALPHA, LEARNING_RATE, RANK, lora_name, steps
from .kohya import (
    BATCH_FILE,
    CHECKPOINTS,
    DATASET_FILE,
    SHELL_FILE,
    dataset_toml,
    train_bat,
    train_sh,
)
from .layouts import MASKS, PROMPTS, Layout, library, weight_folder

AI_TOOLKIT_FILE = "ai_toolkit.yaml"
CONCEPTS_FILE, ONETRAINER_FILE = "concepts.json", "onetrainer.json"


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
            DATASET_FILE: lambda: dataset_toml(character, pictures),
            SHELL_FILE: lambda: train_sh(character, family),
            BATCH_FILE: lambda: train_bat(character, family),
        }
    elif layout is Layout.AI_TOOLKIT:
        trainer = "ai-toolkit"
        made = {AI_TOOLKIT_FILE: lambda: ai_toolkit_yaml(character, family)}
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
    if layout is Layout.ONETRAINER:
        notes.append(
            f"{CONCEPTS_FILE} and {ONETRAINER_FILE} name this folder in full, as OneTrainer needs "
            "it; leave them out when you share the dataset."
        )
    if missing:
        notes.append(
            f"There is no recipe to train {family.label} with {trainer}, "
            f"so {' and '.join(missing)} was left out; choose another family for it."
        )
    return {name: text for name, text in texts.items() if text is not None}, notes


def prompts_txt(character: Character) -> str:
    """How to call the character, and every caption once: prompts to begin with."""
    captions = [" ".join(shot.caption.split()) for shot in character.dataset]
    lines = [" ".join(character.phrase.split()), *(text for text in captions if text)]
    return "\n".join(dict.fromkeys(lines)) + "\n"


def ai_toolkit_yaml(character: Character, family: Family) -> str | None:
    """The text for ostris' ``run.py``; None when ai-toolkit does not know the family.

    Every folder of one weight is a dataset, seen as often as its weight says. The folders are
    looked for where ``run.py`` is started, so that the dataset may be moved, and shared.
    """
    import yaml

    recipe = family.recipe("ai_toolkit")
    if recipe is None:
        return None
    total = steps(character)
    process = {
        "type": "sd_trainer",
        "training_folder": "lora",
        "device": "cuda:0",
        "trigger_word": character.trigger,
        "network": {"type": "lora", "linear": RANK, "linear_alpha": ALPHA},
        "save": {
            "dtype": "float16",
            "save_every": total // CHECKPOINTS,
            "max_step_saves_to_keep": CHECKPOINTS,
        },
        "datasets": [
            _ai_toolkit_dataset(character, family, weight, count)
            for weight, count in repeats_by_weight(character).items()
        ],
        "train": {
            "batch_size": 1,
            "steps": total,
            "gradient_accumulation_steps": 1,
            "train_unet": True,
            "train_text_encoder": False,
            "gradient_checkpointing": True,
            "noise_scheduler": recipe["scheduler"],
            "optimizer": "adamw8bit",
            "lr": LEARNING_RATE,
            "dtype": "bf16",
        },
        "model": recipe["model"],
        "sample": {
            "sampler": recipe["scheduler"],
            "sample_every": total // CHECKPOINTS,
            "width": family.side,
            "height": family.side,
            "prompts": [character.phrase],
            "neg": "",
            "seed": 42,
            "walk_seed": True,
            "guidance_scale": recipe["guidance"],
            "sample_steps": recipe["sample_steps"],
        },
    }
    config = {
        "job": "extension",
        "config": {"name": lora_name(character), "process": [process]},
        "meta": {"name": "[name]", "version": "1.0"},
    }
    head = (
        f"# For ai-toolkit, {family.label}. In this folder: "
        f"python <folder of ai-toolkit>/run.py {AI_TOOLKIT_FILE}\n"
    )
    return head + yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=1000)


def onetrainer_concepts(folder: Path, character: Character) -> str:
    """The concepts for OneTrainer: one folder of each weight, nothing mirrored.

    OneTrainer looks for whatever is not a full path in its own folder.
    """
    concepts = [
        {
            "name": f"{character.trigger} {weight_folder(weight)}",
            "path": _full(folder / weight_folder(weight)),
            "enabled": True,
            "include_subdirectories": False,
            "balancing": float(weight),
            "balancing_strategy": "REPEATS",
            "loss_weight": 1.0,
            "image": {"enable_random_flip": False},
            "text": {"prompt_source": "sample"},
        }
        for weight in _weights(character)
    ]
    return json.dumps(concepts, ensure_ascii=False, indent=2) + "\n"


def onetrainer_config(folder: Path, character: Character, family: Family) -> str | None:
    """The config for OneTrainer, to load or for ``train.py --config-path``; None if it cannot."""
    recipe = family.recipe("onetrainer")
    if recipe is None:
        return None
    config = {
        "training_method": "LORA",
        **recipe,
        "output_dtype": "BFLOAT_16",
        "output_model_destination": _full(folder / "lora" / f"{lora_name(character)}.safetensors"),
        "workspace_dir": _full(folder / "lora" / "workspace"),
        "cache_dir": _full(folder / "lora" / "cache"),
        "concept_file_name": _full(folder / CONCEPTS_FILE),
        "resolution": str(family.side),
        "aspect_ratio_bucketing": True,
        "latent_caching": True,
        "batch_size": 1,
        "learning_rate": LEARNING_RATE,
        "lora_rank": RANK,
        "lora_alpha": float(ALPHA),
        "epochs": max(1, round(steps(character) / _seen(character))),
        "masked_training": any(shot.mask is not None for shot in character.dataset),
    }
    return json.dumps(config, ensure_ascii=False, indent=2) + "\n"


def repeats_by_weight(character: Character) -> dict[float, int]:
    """How often each weight's pictures are seen, in the smallest whole numbers, to a tenth."""
    tenths = {
        weight: max(Fraction(1, 10), Fraction(round(weight * 10), 10))
        for weight in _weights(character)
    }
    whole = lcm(*(share.denominator for share in tenths.values()))
    least = gcd(*(int(share * whole) for share in tenths.values()))
    return {weight: int(share * whole) // least for weight, share in tenths.items()}


def _ai_toolkit_dataset(
    character: Character, family: Family, weight: float, count: int
) -> dict[str, Any]:
    dataset = {
        "folder_path": weight_folder(weight),
        "caption_ext": "txt",
        "caption_dropout_rate": 0.05,
        "shuffle_tokens": False,
        "cache_latents_to_disk": True,
        "num_repeats": count,
        "resolution": sorted({family.side // 2, family.side * 3 // 4, family.side}),
    }
    shots = [shot for shot in character.dataset if shot.weight == weight]
    if all(shot.mask is not None for shot in shots):
        dataset["mask_path"] = MASKS
    return dataset


def _weights(character: Character) -> list[float]:
    """Each weight whose pictures have a folder, once."""
    folders = {weight_folder(shot.weight): shot.weight for shot in character.dataset}
    return sorted(folders.values())


def _seen(character: Character) -> float:
    return max(1.0, sum(shot.weight for shot in character.dataset))


def _full(path: Path) -> str:
    return path.resolve().as_posix()
