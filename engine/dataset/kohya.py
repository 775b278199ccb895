"""The files that tell kohya's sd-scripts how to train on an exported dataset."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from ..core.character import Character
from ..families.family import Family
from ..families.recipes import ALPHA, LEARNING_RATE, RANK, lora_name, steps
from .layouts import REPEATS

DATASET_FILE = "dataset.toml"
SHELL_FILE, BATCH_FILE = "train.sh", "train.bat"
CHECKPOINTS = 5
STEP = 64
SHELL = """\
#!/bin/sh
# Trains a LoRA for {label} with kohya's sd-scripts, in its environment.
# SD_SCRIPTS and MODELS say where sd-scripts and the model files are.
set -eu
MODELS="${MODELS:-$HOME/models}"
SD_SCRIPTS="${SD_SCRIPTS:-$HOME/sd-scripts}"
cd "$(dirname "$0")"
{command}
"""
BATCH = """\
@echo off
rem Trains a LoRA for {label} with kohya's sd-scripts, in its environment.
rem SD_SCRIPTS and MODELS say where sd-scripts and the model files are.
if not defined MODELS set "MODELS=%USERPROFILE%\\models"
if not defined SD_SCRIPTS set "SD_SCRIPTS=%USERPROFILE%\\sd-scripts"
cd /d "%~dp0"
{command}
"""


def dataset_toml(character: Character, pictures: Iterable[str]) -> str:
    """The text for ``--dataset_config``: a subset for each folder of ``pictures``.

    In that mode sd-scripts reads no repeats from folder names, so the file says them. It looks for
    the folders where it is started, so that the dataset may be moved, and shared.
    pictures: files relative to the dataset's folder, in folders named as kohya's. The resolution is
    the side of a square with the median area, in whole steps of 64 pixels.
    """
    areas = [math.prod(shot.size) for shot in character.dataset]
    side = max(STEP, round(median(areas) ** 0.5 / STEP) * STEP)
    lines = [
        "# For sd-scripts, started in this folder: --dataset_config with this file.",
        "[general]",
        'caption_extension = ".txt"',
        "",
        "[[datasets]]",
        f"resolution = {side}",
        "batch_size = 1",
        "enable_bucket = true",
        f"min_bucket_reso = {min(256, side)}",
        f"max_bucket_reso = {max(1024, 2 * side)}",
        "bucket_no_upscale = true",
    ]
    for name in sorted({Path(picture).parent.as_posix() for picture in pictures}):
        repeats = REPEATS.match(name)
        if repeats is None:
            continue
        lines += [
            "",
            "[[datasets.subsets]]",
            f"image_dir = {_quoted(name)}",
            f"class_tokens = {_quoted(character.phrase)}",
            f"num_repeats = {int(repeats[1])}",
        ]
    return "\n".join(lines) + "\n"


def train_sh(character: Character, family: Family) -> str | None:
    """The command for a shell; None when sd-scripts does not train the family."""
    return _script(SHELL, _command(character, family, "${}/"), family, "\\")


def train_bat(character: Character, family: Family) -> str | None:
    """The same command for Windows, with its line ends."""
    script = _script(BATCH, _command(character, family, "%{}%\\"), family, "^")
    return script and script.replace("\n", "\r\n")


def _script(text: str, command: list[str] | None, family: Family, on: str) -> str | None:
    """``text`` with the command in it; ``on`` ends a line that goes on in the next."""
    if command is None:
        return None
    return text.replace("{label}", family.label).replace("{command}", f" {on}\n  ".join(command))


def _command(character: Character, family: Family, folder: str) -> list[str] | None:
    """The command, an option a line. Nothing in it is anybody's free text.

    folder: how the shell writes the folder that a variable names.
    """
    recipe = family.recipe("sd_scripts")
    if recipe is None:
        return None
    total = steps(character)
    scripts, models = folder.format("SD_SCRIPTS"), folder.format("MODELS")
    return [
        f"accelerate launch --num_cpu_threads_per_process 1 --mixed_precision bf16 "
        f'"{scripts}{recipe["script"]}"',
        *(f'{option} "{models}{file}"' for option, file in recipe["models"]),
        f"--dataset_config {DATASET_FILE}",
        "--output_dir lora",
        f"--output_name {lora_name(character)}",
        "--save_model_as safetensors",
        f"--network_module {recipe['network']}",
        f"--network_dim {RANK}",
        f"--network_alpha {ALPHA}",
        f"--learning_rate {LEARNING_RATE}",
        "--optimizer_type AdamW8bit",
        "--lr_scheduler constant",
        f"--max_train_steps {total}",
        f"--save_every_n_steps {total // CHECKPOINTS}",
        "--mixed_precision bf16",
        "--save_precision bf16",
        "--gradient_checkpointing",
        "--cache_latents",
        "--sdpa",
        "--seed 42",
        *recipe["options"],
    ]


def _quoted(text: str) -> str:
    """``text`` as TOML's basic string, whose escapes are JSON's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
