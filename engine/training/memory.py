"""Going on when a step needs more memory than there is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import torch

from .data.pictures import WeightedBatches
from .model.session import Session
from .model.weights import Weights
from .objective.step import Step

T = TypeVar("T")


class OomBackoff:
    """Retries a step in smaller micro-batches after an out-of-memory error.

    First with fewer samples at once, down to one, then with gradient checkpointing. Neither
    changes what is learned.
    """

    def __init__(self, step: Step, session: Session, weights: Weights) -> None:
        self._step = step
        self._session = session
        self._weights = weights
        self._notes: list[str] = []

    def check_forward(self) -> None:
        """As ``Step.check_forward``, which keeps the values of one sample too."""
        # One sample is the least there is: fewer at once would not help.
        micro_batch, self._step.micro_batch = self._step.micro_batch, 1
        try:
            self._until_it_fits(1, self._step.check_forward)
        finally:
            self._step.micro_batch = micro_batch

    def take(self, number: int, batches: WeightedBatches) -> float:
        """Takes step ``number``, counted from 0, and returns its loss.

        Raises torch.OutOfMemoryError when there is no way left to need less.
        """
        take = functools.partial(self._step.take, number, batches, self._weights)
        return self._until_it_fits(number + 1, take)

    def take_notes(self) -> list[str]:
        """Sentences about what was changed since this was last called."""
        notes, self._notes = self._notes, []
        return notes

    def _until_it_fits(self, number: int, run: Callable[[], T]) -> T:
        from comfy.model_management import is_oom, soft_empty_cache

        while True:
            try:
                return run()
            except Exception as error:
                if not is_oom(error):
                    raise
                if not self._back_off(number):
                    raise torch.OutOfMemoryError(
                        f"Step {number} runs out of memory even with one image at a time and "
                        "gradient checkpointing. Set a lower resolution or rank, or load the model "
                        "in a smaller format."
                    ) from error
            # Out of the except clause: the error holds on to every tensor of the failed step.
            self._weights.optimizer.zero_grad(set_to_none=True)
            soft_empty_cache()

    def _back_off(self, number: int) -> bool:
        """Whether there was a way left to need less, which is now taken."""
        if self._step.micro_batch > 1:
            self._step.micro_batch //= 2
            how = f"continuing with a micro-batch of {self._step.micro_batch}"
        elif not self._session.checkpointing:
            self._session.checkpoint()
            how = "continuing with gradient checkpointing"
        else:
            return False
        self._notes.append(f"Step {number} ran out of memory; {how}.")
        return True
