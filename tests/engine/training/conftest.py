"""A small model and a character of coloured noise, for every test of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from facet.engine.character import Character, Provenance, Shot
from harness.families import FAMILIES, Family, load_family
from harness.small_models import SmallModels, small_models


@pytest.fixture(scope="session")
def models() -> SmallModels:
    """Loaded in inference mode, as ComfyUI's loader nodes run."""
    with torch.inference_mode():
        return small_models()


@pytest.fixture(scope="session")
def narrow(request: pytest.FixtureRequest) -> tuple[Family, Any]:
    """A family by its name in ``FAMILIES``, with a narrow model of it."""
    family = FAMILIES[request.param]
    with torch.inference_mode():
        return family, load_family(family, narrow=True)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small products are slower on more threads, and other tests may be running."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def picture() -> Callable[..., Shot]:
    """Makes a shot of coloured noise."""

    def make(number: int, width: int = 64, height: int = 64, **values: object) -> Shot:
        generator = torch.Generator().manual_seed(number)
        image = torch.rand(height, width, 3, generator=generator)
        given = {"caption": f"zqx person, picture {number}", **values}
        return Shot(image, Provenance("generated"), **given)  # type: ignore[arg-type]

    return make


@pytest.fixture
def character(picture: Callable[..., Shot]) -> Character:
    """Four pictures with captions of their own."""
    shots = tuple(picture(number) for number in range(1, 4))
    return Character("Ada", "zqx", "person", picture(0), shots)
