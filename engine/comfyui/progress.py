"""ComfyUI's progress bar, moved by whatever counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch

PREVIEW_SIDE = 512
T = TypeVar("T")


def interruptible(items: Iterable[T]) -> Iterator[T]:
    """``items``, until an interrupt in ComfyUI raises ``InterruptProcessingException``."""
    from comfy.model_management import throw_exception_if_processing_interrupted

    for item in items:
        throw_exception_if_processing_interrupted()
        yield item


def progress_bar() -> Callable[[int, int], None]:
    """Tells ComfyUI how many of how many are done; raises when the run is cancelled."""
    from comfy.model_management import throw_exception_if_processing_interrupted
    from comfy.utils import ProgressBar

    bar = ProgressBar(1)

    def step(done: int, total: int) -> None:
        throw_exception_if_processing_interrupted()
        bar.update_absolute(done, total)

    return step


def image_progress() -> Callable[[int, int, torch.Tensor], None]:
    """Tells ComfyUI how many of how many images are done, and shows the last one (H, W, 3)."""
    from comfy.utils import ProgressBar
    from PIL import Image

    from ..core.character import quantise

    bar = ProgressBar(1)

    def show(done: int, total: int, image: torch.Tensor) -> None:
        preview = Image.fromarray(quantise(image).numpy())
        bar.update_absolute(done, total, ("JPEG", preview, PREVIEW_SIDE))

    return show
