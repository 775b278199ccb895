"""What is measured of a run on its way: validation loss, sample pictures, and their likeness."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...store.files import write_atomic
from ..data.pictures import Sample
from ..files.state import Weights
from ..model.session import Session
from ..objective.step import Step
from ..run_record import Measure
from ..settings import TrainingSettings
from .best import Likeness
from .samples import FOLDER, Sampler, sheet_bytes


@dataclass
class Measuring:
    """Decides what is due after a step, and measures it.

    held_out: to validate with. sampler: None for no pictures; likeness: None where no embedder is
    at hand.
    """

    settings: TrainingSettings
    held_out: list[Sample]
    sampler: Sampler | None
    likeness: Likeness | None

    def samples_due(self, step: int) -> bool:
        """Whether pictures are made once ``step`` steps are done."""
        if self.sampler is None:
            return False
        every = self.settings.sample_every
        if every:
            return step % every == 0 or step == self.settings.steps
        return self.likeness is not None and self.settings.checkpoint_due(step)

    def validation_due(self, step: int) -> bool:
        """Whether the validation loss is taken then: at every checkpoint, and in between."""
        if not self.held_out:
            return False
        every = self.settings.validate_every
        return bool(every and step % every == 0) or self.checkpoint_due(step)

    def checkpoint_due(self, step: int) -> bool:
        """Whether a LoRA is saved then: what is judged has to be there to be chosen."""
        judged = self.likeness is not None and self.samples_due(step)
        return self.settings.checkpoint_due(step) or judged

    def lacks(self, known: Measure, last: bool) -> bool:
        """Whether something that is due after ``known.step`` is not in ``known``.

        ``last``: whether the run ends there, when all is due.
        """
        step = known.step
        validation = self.validation_due(step) or (last and bool(self.held_out))
        samples = self.samples_due(step) or (last and self.sampler is not None)
        return (validation and known.validation is None) or (samples and not known.sample)

    def validate(self, step: Step, weights: Weights) -> float | None:
        """The validation loss of the averaged weights, None without held-out pictures."""
        if not self.held_out:
            return None
        with weights.averaged_in_place():
            return step.validation_loss(self.held_out)

    def picture(
        self, number: int, session: Session, weights: Weights, folder: Path
    ) -> tuple[str, float | None]:
        """Makes the samples after step ``number`` with the averaged weights, and saves them.

        The picture's name in the run's folder, and the likeness where an embedder is at hand.
        """
        sampler = self.sampler
        assert sampler is not None
        with weights.averaged_in_place():
            if session.text_encoder is not None:
                sampler = sampler.by(session.text_encoder.clip)
            with session.sampling_model() as model:
                pictures = sampler.make(model)
                identity = None if self.likeness is None else self.likeness(pictures)
        name = f"{FOLDER}/step_{number:06d}.png"
        write_atomic(folder / name, sheet_bytes(pictures, sampler.prompts, number))
        return name, identity
