"""Going on when a step needs more memory than there is."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import torch

from .data.pictures import WeightedBatches
from .model.loading import out_of_memory
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
        loss = self._until_it_fits(number + 1, take)
        if self._step.drawn_again:
            self._notes.append(
                f"The loss of step {number + 1} was not a number; it was drawn anew."
            )
        return loss

    def take_notes(self) -> list[str]:
        """Sentences about what was changed since this was last called."""
        notes, self._notes = self._notes, []
        return notes

    def _until_it_fits(self, number: int, run: Callable[[], T]) -> T:
        from comfy.model_management import soft_empty_cache

        while True:
            try:
                return run()
            except Exception as error:
                if not out_of_memory(error):
                    raise
                if self._step.micro_batch == 1 and self._session.checkpointing:
                    raise torch.OutOfMemoryError(
                        f"Step {number} runs out of memory even with one image at a time and "
                        "gradient checkpointing. Set a lower resolution or rank, or load the model "
                        "in a smaller format."
                    ) from error
            # Out of the except clause: the error holds on to every tensor of the failed step.
            self._weights.optimizer.zero_grad(set_to_none=True)
            soft_empty_cache()
            self._need_less(number)

    def _need_less(self, number: int) -> None:
        """Takes the next way to need less memory, and loads the model for it."""
        checkpointing = self._session.checkpointing
        if self._step.micro_batch > 1:
            self._step.micro_batch //= 2
            how = f"continuing with a micro-batch of {self._step.micro_batch}"
        else:
            checkpointing = True
            how = "continuing with gradient checkpointing"
        self._session.load_again(self._step.micro_batch, checkpointing)
        self._notes.append(f"Step {number} ran out of memory; {how}.")
