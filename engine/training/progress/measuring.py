"""What is measured of a run on its way: validation loss, samples, and their similarity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from ...comfyui.lora_names import LoraWeights
from ...core.errors import FacetError
from ...store.files import write_atomic
from ..data.pictures import TrainingSample
from ..model.loading import out_of_memory
from ..model.session import Session
from ..model.weights import Weights
from ..objective.step import Step
from ..run_record import Measure
from ..settings import TrainingSettings
from .best import OriginalSimilarity
from .samples import FOLDER, TrainingSampler, sheet_bytes


@dataclass
class Measuring:
    """Decides what is due after a step, and measures it.

    held_out: to validate with. sampler: None for no samples; likeness: None where no embedder is
    at hand. lora: the weights as a file has them, for a sampler that looks through another model.
    encode: a sampler for whoever asks for samples of a run that makes none.
    """

    settings: TrainingSettings
    held_out: list[TrainingSample]
    sampler: TrainingSampler | None
    likeness: OriginalSimilarity | None
    lora: Callable[[Weights], LoraWeights] = lambda _: {}
    encode: Callable[[], TrainingSampler] | None = None
    _notes: list[str] = field(default_factory=list)

    def samples_due(self, step: int) -> bool:
        """Whether samples are made once ``step`` steps are done."""
        if self.sampler is None:
            return False
        if self.settings.sample_every:
            return self._is_due(step, self.settings.sample_every)
        return self.likeness is not None and self._is_due(step, self.settings.checkpoint_every)

    def validation_due(self, step: int) -> bool:
        """Whether the validation loss is taken then: at every checkpoint, and in between."""
        if not self.held_out:
            return False
        return self._is_due(step, self.settings.validate_every) or self.checkpoint_due(step)

    def checkpoint_due(self, step: int) -> bool:
        """Whether a LoRA is saved then: what is judged has to be there to be chosen."""
        judged = self.likeness is not None and self.samples_due(step)
        return judged or self._is_due(step, self.settings.checkpoint_every)

    def lacks(self, known: Measure, last: bool, asked: bool = False) -> bool:
        """Whether something that is due after ``known.step`` is not in ``known``.

        ``last``: whether the run ends there, when all is due. asked: whether samples are asked for.
        """
        return self._lacks_validation(known, last) or (
            (asked or self._samples_wanted(known.step, last)) and not known.sample
        )

    def measure(
        self,
        known: Measure,
        last: bool,
        step: Step,
        session: Session,
        weights: Weights,
        folder: Path,
        asked: bool = False,
    ) -> Measure:
        """``known`` with what is due after its step, by the averaged weights.

        Samples are made anew and saved in the run's ``folder``. When memory runs out they are left
        out from then on.
        """
        if self._lacks_validation(known, last):
            with weights.averaged_in_place():
                known = replace(known, validation=step.validation_loss(self.held_out))
        if asked or self._samples_wanted(known.step, last):
            known = self._with_samples(known, session, weights, folder)
        return known

    def take_notes(self) -> list[str]:
        """Sentences about what happened since this was last called."""
        notes, self._notes = self._notes, []
        return notes

    def _is_due(self, step: int, every: int) -> bool:
        return step == self.settings.steps or bool(every and step % every == 0)

    def _lacks_validation(self, known: Measure, last: bool) -> bool:
        wanted = self.validation_due(known.step) or (last and bool(self.held_out))
        return wanted and known.validation is None

    def _samples_wanted(self, step: int, last: bool) -> bool:
        return self.samples_due(step) or (last and self.sampler is not None)

    def _with_samples(
        self, known: Measure, session: Session, weights: Weights, folder: Path
    ) -> Measure:
        from comfy.model_management import soft_empty_cache

        try:
            name, identity = self._sample(known.step, session, weights, folder)
            return replace(known, sample=name, identity=identity)
        except FacetError as error:  # of a sampler that was not asked for before the run began
            self._notes.append(str(error))
            return known
        except Exception as error:
            if not out_of_memory(error):
                raise
        # Out of the except clause: the error holds on to every tensor of the sampling.
        self.sampler = None
        soft_empty_cache()
        self._notes.append("Not enough memory for samples; continuing without them.")
        return known

    def _sample(
        self, number: int, session: Session, weights: Weights, folder: Path
    ) -> tuple[str, float | None]:
        """The name of the samples' file in the run's folder, and their similarity."""
        sampler = self.sampler
        if sampler is None:
            assert self.encode is not None
            with session.put_away(), torch.inference_mode():
                sampler = self.encode()
        if sampler.request.through:
            lora = self.lora(weights)
            with session.put_away():
                pictures = sampler.make_with(lora, session.text_encoder is not None)
                identity = self._likeness(pictures)
        else:
            with weights.averaged_in_place():
                if session.text_encoder is not None:
                    sampler = sampler.by(session.text_encoder.clip)
                with session.sampling_model() as model:
                    pictures = sampler.make(model)
                    identity = self._likeness(pictures)
        name = f"{FOLDER}/step_{number:06d}.png"
        write_atomic(folder / name, sheet_bytes(pictures, sampler.request.prompts, number))
        return name, identity

    def _likeness(self, pictures: torch.Tensor) -> float | None:
        if self.likeness is None:
            return None
        with torch.inference_mode():
            return self.likeness(pictures)
