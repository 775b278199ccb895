"""Pictures that are held out of the training, to see what it does to others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from ...core.character import Shot


def held_out(shots: Sequence[Shot], count: int, seed: int) -> tuple[list[Shot], list[Shot]]:
    """``shots`` to train on, and ``count`` to validate with that are never trained on.

    Which ones depends on the seed and on what the pictures are, not on their order. Pictures
    that are the same stay together. Raises ValueError when nothing would be left to train on.
    """

    def draw(picture: str) -> str:
        return hashlib.sha256(f"{seed}:{picture}".encode()).hexdigest()

    pictures = sorted({shot.hash for shot in shots}, key=draw)
    if count >= len(pictures):
        raise ValueError(
            f"validation_shots is {count} and there are {len(pictures)} pictures, so that none "
            "would be left to train on; hold out fewer."
        )
    chosen = set(pictures[:count])
    training = [shot for shot in shots if shot.hash not in chosen]
    # The first of those that are the same stands for them.
    others = {shot.hash: shot for shot in reversed(shots) if shot.hash in chosen}
    return training, [others[picture] for picture in pictures[:count]]
