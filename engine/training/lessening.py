"""Going on with less memory a step when there is not enough of it."""

from __future__ import annotations

from .pictures import WeightedBatches
from .session import Session
from .state import Weights
from .step import Step


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

    def take(self, number: int, batches: WeightedBatches) -> float:
        """Takes step ``number`` and returns its loss.

        Raises the device's own error when there is no way left to need less.
        """
        from comfy.model_management import is_oom, soft_empty_cache

        while True:
            try:
                return self._step.take(number, batches, self._weights)
            except Exception as error:
                if not is_oom(error) or not self._needs_less(number + 1):
                    raise
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
