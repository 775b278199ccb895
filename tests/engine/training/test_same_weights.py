"""The same pictures give the same weights, however they came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from facet.engine.core.character import Character, Shot
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.library import Library
from facet.engine.dataset.load import load
from facet.engine.dataset.output import file_hash
from facet.engine.training.settings import TrainingSettings
from harness.trainings import Train

SETTINGS = TrainingSettings(
    steps=2, rank=4, learning_rate=1e-2, seed=3, precision="fp32", masked_loss=True
)

Way = Callable[[Character, Path], Character]


def channels_first(value: torch.Tensor) -> torch.Tensor:
    """As a VAE gives a picture: the same values in another order in memory."""
    return value.movedim(-1, 0).contiguous().movedim(0, -1)


def cut_out(value: torch.Tensor) -> torch.Tensor:
    """As a crop gives it: a part of something larger."""
    larger = torch.zeros(value.shape[0] + 3, value.shape[1] + 5, *value.shape[2:])
    larger[1:-2, 2:-3] = value
    return larger[1:-2, 2:-3]


def remade(change: Callable[[torch.Tensor], torch.Tensor]) -> Way:
    def way(who: Character, _folder: Path) -> Character:
        def anew(shot: Shot) -> Shot:
            assert shot.mask is not None
            return replace(shot, image=change(shot.image), mask=change(shot.mask))

        return who.mapped(anew)

    return way


def exported(layout: Layout) -> Way:
    def way(who: Character, folder: Path) -> Character:
        return load(export(who, folder / "dataset", layout).folder).character

    return way


def saved(who: Character, folder: Path) -> Character:
    library = Library(folder)
    return library.open(library.save(who).version.label).character


WAYS: dict[str, Way] = {
    "decoded by a VAE": remade(channels_first),
    "cut out": remade(cut_out),
    "in double precision": remade(lambda value: value.double()),
    "exported as kohya": exported(Layout.KOHYA),
    "exported as a zip": exported(Layout.ZIP),
    "opened from the library": saved,
}


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    """The LoRA of the pictures as they were made, once it is trained."""
    return {}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_pictures_give_the_same_lora(
    run: Train, picture: Callable[..., Shot], tmp_path: Path, known: dict[str, str], way: str
) -> None:
    def shot(number: int) -> Shot:
        # A mask as a matting model gives it: in more levels than a file has.
        mask = torch.rand(64, 64, generator=torch.Generator().manual_seed(100 + number))
        return picture(number, mask=mask, weight=1 + number)

    who = Character("Ada", "zqx", "person", shot(0), (shot(1), shot(2)))
    if not known:
        known["made"] = file_hash(run(SETTINGS, "made", who).lora)
    again = WAYS[way](who, tmp_path / "way")
    assert again.hash == who.hash
    assert file_hash(run(SETTINGS, "again", again).lora) == known["made"]
