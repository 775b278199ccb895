"""The dataset file of kohya's sd-scripts, which in that mode reads no repeats from folder names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from ..character import Character
from .layouts import REPEATS

DATASET_FILE = "dataset.toml"
STEP = 64


def dataset_toml(folder: Path, character: Character, pictures: Iterable[str]) -> str:
    """The text for ``--dataset_config``: a subset for each folder of ``pictures`` in ``folder``.

    pictures: files relative to ``folder``, in folders named as kohya's. The resolution is the side
    of a square with the median area, in whole steps of 64 pixels.
    """
    areas = [shot.image.shape[0] * shot.image.shape[1] for shot in character.dataset]
    side = max(STEP, round(median(areas) ** 0.5 / STEP) * STEP)
    lines = [
        "# For sd-scripts: --dataset_config with this file.",
        "[general]",
        'caption_extension = ".txt"',
        "",
        "[[datasets]]",
        f"resolution = {side}",
        "batch_size = 1",
        "enable_bucket = true",
        "bucket_no_upscale = true",
    ]
    for name in sorted({Path(picture).parent.as_posix() for picture in pictures}):
        repeats = REPEATS.match(name)
        if repeats is None:
            continue
        lines += [
            "",
            "[[datasets.subsets]]",
            f"image_dir = {_quoted((folder / name).resolve().as_posix())}",
            f"class_tokens = {_quoted(f'{character.trigger} {character.class_word}')}",
            f"num_repeats = {int(repeats[1])}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """``text`` as TOML's basic string, whose escapes are JSON's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
