"""Going on with less memory a step when there is not enough of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import torch

from .data.pictures import WeightedBatches
from .files.state import Weights
from .model.session import Session
from .objective.step import Step

T = TypeVar("T")


class Lessening:
    """Takes steps, and takes one that ran out of memory again in smaller parts.

    First with fewer samples at once, down to one, then with the blocks run again in the backward
    pass. Neither changes what is learned.
    """

    def __init__(self, step: Step, session: Session, weights: Weights) -> None:
        self._step = step
        self._session = session
        self._weights = weights
        self._told: list[str] = []

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

    def _until_it_fits(self, number: int, run: Callable[[], T]) -> T:
        from comfy.model_management import is_oom, soft_empty_cache

        while True:
            try:
                return run()
            except Exception as error:
                if not is_oom(error):
                    raise
                if not self._needs_less(number):
                    raise torch.OutOfMemoryError(
                        f"Step {number} needs more memory than there is, also with one sample at "
                        "once and gradient checkpointing. Give a lower resolution or rank, or "
                        "load the model in a smaller format."
                    ) from error
            # Out of the except clause: the error holds on to every tensor of the failed step.
            self._weights.optimizer.zero_grad(set_to_none=True)
            soft_empty_cache()

    def told(self) -> list[str]:
        """Sentences about what was changed since this was last asked."""
        told, self._told = self._told, []
        return told

    def _needs_less(self, number: int) -> bool:
        if self._step.micro_batch > 1:
            self._step.micro_batch //= 2
            how = f"it goes on with {self._step.micro_batch} of the batch at once"
        elif not self._session.checkpointing:
            self._session.checkpoint()
            how = "it goes on with gradient checkpointing"
        else:
            return False
        self._told.append(f"Step {number} needed more memory than there is; {how}.")
        return True
