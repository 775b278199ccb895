"""Every slider both ways on the photograph, and every expression on a drawing, as looked at once.

`FACET_WRITE_GOLDEN=1` with this file's tests writes the pictures anew, to be looked at again.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from facet.engine.core.character import quantise
from facet.engine.generate.expression.edit import edit
from facet.engine.generate.expression.presets import PRESETS
from facet.engine.generate.expression.table import SLIDERS
from harness.faces import astronaut, drawn_face

FOLDER = Path(__file__).with_name("golden")
COLUMNS = 10


def sheet(tiles: list[np.ndarray]) -> np.ndarray:
    """``tiles`` of one size in rows of ``COLUMNS``, uint8."""
    height, width = tiles[0].shape[:2]
    whole = np.zeros((-(-len(tiles) // COLUMNS) * height, COLUMNS * width, 3), np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // COLUMNS * height, number % COLUMNS * width
        whole[top : top + height, left : left + width] = tile
    return whole


def hold(name: str, tiles: dict[str, np.ndarray]) -> None:
    """Compares ``tiles`` with the sheet that was looked at, each as a person would."""
    made, path = sheet(list(tiles.values())), FOLDER / f"{name}.webp"
    if os.environ.get("FACET_WRITE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        Image.fromarray(made).save(path, quality=80, method=6)
    golden = np.array(Image.open(path).convert("RGB"))
    assert golden.shape == made.shape
    height, width = next(iter(tiles.values())).shape[:2]
    for number, (label, tile) in enumerate(tiles.items()):
        top, left = number // COLUMNS * height, number % COLUMNS * width
        wanted = golden[top : top + height, left : left + width]
        # The file keeps colours at half the resolution, so that shapes are compared in grey.
        grey, wanted_grey = (np.asarray(one, float).mean(-1) for one in (tile, wanted))
        assert structural_similarity(grey, wanted_grey, data_range=255) > 0.95, label
        assert np.abs(grey - wanted_grey).mean() < 3, label
        assert np.abs(tile.mean((0, 1)) - wanted.mean((0, 1))).max() < 3, label


def tile(image: torch.Tensor, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    return quantise(image[top:bottom, left:right]).numpy()


@pytest.mark.parametrize("way", ["low", "high"])
def test_every_slider_looks_on_the_photograph_as_it_did(way):
    image, face = astronaut()
    hold(
        f"sliders_{way}",
        {
            slider.name: tile(
                edit(image, face, {slider.name: getattr(slider, way)}).image, 72, 188, 174, 280
            )
            for slider in SLIDERS
        },
    )


def test_every_expression_looks_on_a_drawing_as_it_did():
    image, face = drawn_face(3, 128)
    hold(
        "expressions",
        {
            name: tile(edit(image, face, sliders).image, 14, 110, 16, 112)
            for name, sliders in PRESETS.items()
        },
    )
