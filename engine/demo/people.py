"""Pictures of 48 people whom the demo models have never seen."""

from __future__ import annotations

from pathlib import Path

import torch

from ..core.errors import FacetError
from ..store.images import read_image

PEOPLE = Path(__file__).resolve().parent / "people"
COUNT = 48


def demo_picture(index: int) -> torch.Tensor:
    """Person `index` (0..47) from the front: (128, 128, 3) float32 in 0..1.

    Raises FacetError when there is no such person, RuntimeError when the file cannot be read.
    """
    if not 0 <= index < COUNT:
        raise FacetError(f"Facet Demo Picture: there is no person {index}; take 0 to {COUNT - 1}.")
    path = PEOPLE / f"{index:02d}.png"
    try:
        return read_image(path)
    except OSError as problem:
        raise RuntimeError(
            f"Facet Demo Picture: {path.name} is missing or damaged in {path.parent}. "
            "Install Facet again."
        ) from problem
