"""Models that look at a picture and say something about it, and what they said before."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import Protocol

import torch

from ..store.files import write_json_atomic

FILE = "captions_seen.json"
TOKENS = 96
"""No answer is longer, in tokens of the model."""
PIXELS = 1024 * 1024
"""No picture is shown with more; what models look at is smaller still."""
KEPT_EVERY = 5.0
"""Seconds of asking that a crash may cost."""


class VisionModel(Protocol):
    """Says something about pictures.

    name: what people call it. licence: what it may be used for, '' when nobody says. digest:
    changes when the model does. describes: it takes no questions and says what it sees.
    """

    name: str
    licence: str
    digest: str
    describes: bool

    def say(self, image: torch.Tensor, question: str) -> str:
        """What the model answers to ``question`` about ``image`` (H, W, 3) in 0..1."""


class Memory:
    """Answers of models, by the hashes of the pictures, in a file in the character's folder.

    Raises ValueError when the file is there and does not hold answers.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.known: dict[str, dict[str, dict[str, str]]] = {}
        self.changed, self.kept = False, monotonic()
        if self.path.is_file():
            try:
                self.known = json.loads(self.path.read_text("utf-8"))
                for models in self.known.values():
                    for answers in models.values():
                        dict[str, str](answers)
            except (OSError, ValueError, TypeError, AttributeError) as error:
                raise ValueError(
                    f"{self.path} cannot be read ({error}); delete it: the model is asked again."
                ) from error

    def answer(self, picture: str, image: torch.Tensor, model: VisionModel, question: str) -> str:
        """What ``model`` says about the picture of that hash; it is asked only once."""
        answers = self.known.setdefault(picture, {}).setdefault(model.digest, {})
        if question not in answers:
            answers[question] = model.say(shown(image), question)
            self.changed = True
        return answers[question]

    def keep(self, every: float = 0) -> None:
        """Writes down what was learnt, when the last time is ``every`` seconds ago or longer."""
        if self.changed and monotonic() - self.kept >= every:
            write_json_atomic(self.path, self.known)
            self.changed, self.kept = False, monotonic()


def shown(image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3), smaller when it has more than ``PIXELS``."""
    height, width = image.shape[:2]
    scale = (PIXELS / (height * width)) ** 0.5
    if scale >= 1:
        return image
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = torch.nn.functional.interpolate(image.movedim(-1, 0)[None], size, mode="area")
    return small[0].movedim(0, -1)
