"""Pictures of the character that neither what made its shots nor the trainer has seen.

Likeness with the original flatters: the shots were made from it and the LoRA was trained on it and
on them, so light, clothes and whatever the shots have in common that is not the character count as
well. None of that can be had from a picture that was held out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..core.character import Character, Provenance, Shot
from ..core.errors import FacetError
from ..vision.copies import CopyFinder
from .calibrate import Calibration

NO_EMBEDDING = torch.zeros(1)


def unseen(
    pictures: Sequence[torch.Tensor],
    character: Character,
    references: Sequence[torch.Tensor] = (),
) -> tuple[torch.Tensor, ...]:
    """``pictures`` (H, W, 3), none of which is one that was shown before, be it cropped or scaled.

    references: what the model is shown besides the original. Raises FacetError when one is.
    """
    shown = {"the original": [character.source], "a picture of the dataset": character.dataset}
    shown["a reference of the studio"] = [
        Shot(picture, Provenance("imported")) for picture in references
    ]
    for number, picture in enumerate(pictures, start=1):
        for what, shots in shown.items():
            if not shots:
                continue
            finder = CopyFinder(shots, NO_EMBEDDING.expand(len(shots), 1))
            if finder.nearest(picture, NO_EMBEDDING).copied:
                raise FacetError(
                    f"Held-out picture {number} is {what} over again; connect one that neither "
                    "made the shots nor is trained on."
                )
    return tuple(pictures)


def reason(scale: Calibration | None) -> str:
    """Why there is no likeness with the held-out pictures on ``scale``; '' where there is."""
    if scale is None or not scale.problem:
        return ""
    if scale.positive_median is None or scale.null_median is None:
        return scale.problem
    return (
        f"The held-out pictures are hardly more like the original ({scale.positive_median:.2f}) "
        f"than strangers are ({scale.null_median:.2f}): use others of the same person."
    )
