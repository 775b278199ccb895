"""Runs the protocol: the same prompts and seeds without the LoRA and with each candidate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from ..core.character import Character
from ..core.errors import FacetError
from ..store.images import ImageStore
from ..vision.embedders import AppearanceEmbedder
from ..vision.faces import lies_on_its_side
from .calibrate import Calibration, Scales
from .choice import ENOUGH, as_like, choose
from .measure import SampleMeter, reproduced
from .protocol import SCENE, TestPrompt
from .sample import ScoredSample
from .sampler import Bench, Candidate, CandidateSampler, Make
from .score import ScoreCard
from .variant import Variant, variant

FIRST_LOOK = 4
"""How many scenes every candidate makes; those that are as like as the best by them make as many
again, until there are enough to tell."""
OFF, IN_WORDS = "LoRA off", "described in words"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The score card and the images it was made from, by variant and prompt; those held out."""

    card: ScoreCard
    best: Candidate
    pictures: dict[str, list[torch.Tensor]] = field(default_factory=dict)
    held_out: tuple[torch.Tensor, ...] = ()


OnPicture = Callable[[int, int, torch.Tensor], None]


def evaluate(
    character: Character,
    candidates: Sequence[Candidate],
    bench: Bench,
    prompts: Sequence[TestPrompt],
    description: str = "",
    notes: Sequence[str] = (),
    on_picture: OnPicture | None = None,
    cache: ImageStore | None = None,
    first_look: int = FIRST_LOOK,
    make: Callable[[Candidate | None], Make] | None = None,
) -> Evaluation:
    """Scores every candidate on the first few scenes, those that cannot be told from the best by
    them on up to a dozen, and the one that is chosen on all prompts.

    Where likeness cannot be judged, the last candidate stands in for the best.
    ``on_picture`` gets the number of pictures made, how many there will be, and the last one.
    Pictures that are in ``cache`` are not sampled again. ``first_look``: how many scenes are few.
    ``make`` gives the images of each candidate, and those without LoRA, where they are made
    already. Raises FacetError when there is no candidate or no prompt, or a LoRA does not belong to
    the model.
    """
    said = list(notes)
    if make is None:
        if not candidates:
            raise FacetError("There is no LoRA to score; train one or connect one.")
        if not any(prompt.kind == SCENE for prompt in prompts):
            raise FacetError(
                "There is no prompt to score on; write one, or leave the prompts empty."
            )
        sampler = CandidateSampler(bench, cache)
        said += sampler.check(candidates)  # before anything is sampled
        make = sampler.make
    ordered = sorted(prompts, key=lambda one: one.kind != SCENE)
    return _Evaluation(
        character, candidates, bench, ordered, make, description, said, on_picture, first_look
    ).run()


@dataclass(eq=False)
class _Evaluation:
    character: Character
    candidates: Sequence[Candidate]
    bench: Bench
    prompts: Sequence[TestPrompt]
    make: Callable[[Candidate | None], Make]
    description: str
    notes: list[str]
    on_picture: OnPicture | None
    first_look: int

    def __post_init__(self) -> None:
        self.scenes = [prompt for prompt in self.prompts if prompt.kind == SCENE]
        self.pictures: dict[str, list[torch.Tensor]] = {}
        self.measured: dict[str, list[ScoredSample]] = {}
        single = len(self.candidates) == 1
        self.few = len(self.prompts) if single else min(self.first_look, len(self.scenes))
        every = len(self.prompts) + (len(self.scenes) if self.description else 0)
        looks = len(self.candidates) * self.few + len(self.prompts) - self.few
        self.done, self.total = 0, every + looks
        bench = self.bench
        embedder = bench.embedder or AppearanceEmbedder(bench.clip_vision)
        self.meter = SampleMeter(
            self.character,
            embedder,
            bench.clip_vision,
            bench.face_model,
            bench.background,
            bench.held_out,
        )
        self._note_faces()
        self.rejected = sum(not (one.include and one.accepted) for one in self.character.shots)

    def run(self) -> Evaluation:
        who = self.character.phrase
        without = self.make(None)
        # Anybody of the kind: what the trigger means to the model by itself is not the LoRA's.
        self._make(OFF, self.character.class_word, without, len(self.prompts))
        scales = self._scales()
        if self.description:
            self._make(IN_WORDS, self.description, without, len(self.scenes))
        tried = [self._try(candidate, who, scales) for candidate in self.candidates]
        self._look_again(tried, who, scales)
        number = choose(tried, scales.original.most)
        chosen = self.candidates[number]
        if len(tried[number].samples) < len(self.prompts):
            self.total = self.done + len(self.prompts) - len(tried[number].samples)
            tried[number] = self._try(chosen, who, scales, len(self.prompts))
        self._note_calibration(scales.original)
        card = ScoreCard(
            character=self.character.name,
            trigger=self.character.trigger,
            class_word=self.character.class_word,
            character_hash=self.character.hash,
            calibration=scales.original,
            off=self._variant(OFF, scales),
            tried=tuple(tried),
            best=tried[number],
            words=self._variant(IN_WORDS, scales) if self.description else None,
            notes=tuple(self.notes),
            settings={
                **asdict(self.bench.sampling),
                "seed": self.prompts[0].seed,
                "prompts": len(self.prompts),
                "negative": self.bench.negative,
                "description": self.description,
                "measured_by": self.meter.name,
                "training_pictures": len(self.character.dataset),
                "held_out_pictures": len(self.bench.held_out) or None,
            },
            usual_cosine=self.meter.copies.usual_cosine,
            garment=self.meter.garment,
            shots={
                shot.hash: ", ".join(shot.tags.phrases()) or "the original"
                for shot in self.character.pictures
            },
            set_calibration=scales.to_set,
            held_out_calibration=scales.held_out,
        )
        return Evaluation(card, chosen, self.pictures, self.bench.held_out)

    def _look_again(self, tried: list[Variant], who: str, scales: Scales) -> None:
        """Makes more scenes of those of ``tried`` that are as like as the best by those they have,
        until there is one of them or all have enough."""
        enough = min(ENOUGH, len(self.scenes))
        while len(close := as_like(tried, scales.original.most)) > 1:
            count = min(len(tried[number].scenes) for number in close)
            if count >= enough:
                break
            few = [number for number in close if len(tried[number].scenes) == count]
            more = min(self.few, enough - count)
            self.total = self.done + more * len(few) + len(self.prompts) - count - more
            for number in few:
                tried[number] = self._try(self.candidates[number], who, scales, count + more)

    def _scales(self) -> Scales:
        """What strangers and the character's own shots are like, as the encoder sees it."""
        off, own, bench = self.measured[OFF], self.meter.positives, self.bench
        scenes = [one for one in off if one.prompt.kind == SCENE]
        scenes = [one for one in scenes if one.face is not False] or scenes
        reproduction = reproduced(self.character.source.image, bench.vae, bench.sampling)

        def calibration(null: Sequence[float], positives: Sequence[float]) -> Calibration:
            return Calibration(tuple(null), tuple(positives), self.rejected, reproduction)

        return Scales(
            calibration([one.similarity for one in scenes], own.original),
            calibration([one.to_set for one in scenes], own.among),
            {
                view: calibration(
                    [one.similarity for one in scenes if one.prompt.tags.view == view], positives
                )
                for view, positives in own.by_view.items()
            },
            self._held_out_scale(scenes, reproduction),
        )

    def _held_out_scale(
        self, scenes: Sequence[ScoredSample], reproduction: float
    ) -> Calibration | None:
        """What strangers and true pictures of the character are like beside those held out."""
        positives = self.meter.positives.held_out
        null = tuple(one.to_held_out for one in scenes if one.to_held_out is not None)
        return Calibration(null, positives, 0, reproduction) if positives else None

    def _try(
        self, candidate: Candidate, who: str, scales: Scales, count: int | None = None
    ) -> Variant:
        self._make(candidate.label, who, self.make(candidate), count or self.few)
        return self._variant(candidate.label, scales, candidate)

    def _make(self, label: str, who: str, make: Make, count: int) -> None:
        """Makes and measures the samples of the first ``count`` prompts that are still missing."""
        pictures = self.pictures.setdefault(label, [])
        samples = self.measured.setdefault(label, [])
        for prompt in self.prompts[len(samples) : count]:
            text = prompt.text(who)
            image = make(text, prompt.seed)
            pictures.append(image)
            samples.append(self.meter.sample(prompt, text, image))
            self.done += 1
            if self.on_picture is not None:
                self.on_picture(self.done, self.total, image)

    def _variant(self, label: str, scales: Scales, candidate: Candidate | None = None) -> Variant:
        more: dict[str, Any] = {}
        if candidate is not None:
            more = {
                "step": candidate.step,
                "strength": candidate.strength,
                "path": candidate.path,
                "loss": candidate.loss,
            }
        off = () if label == OFF else self.measured[OFF]
        samples = tuple(self.measured[label])
        return variant(label, samples, scales, self.meter.sees_faces, off, **more)

    def _note_faces(self) -> None:
        """Says why views and faces are not measured, where they are not."""
        if self.bench.face_model is None:
            self.notes.append("No FACE_DETECTION_MODEL is connected, so views were not measured.")
        elif not self.meter.sees_faces:
            why = lies_on_its_side(self.bench.face_model, self.character.source.image)
            self.notes.append(
                "The face model finds no face in the original image, so views were not measured: "
                + (why or "it does not recognise such faces, or the face is hidden or too small.")
            )

    def _note_calibration(self, calibration: Calibration) -> None:
        """Says what makes the scale less firm."""
        if calibration.positives and len(calibration.positives) < 5:
            self.notes.append(
                f"Calibrated on {len(calibration.positives)} images of the character only; five or "
                "more give a more reliable scale."
            )
        if self.rejected > len(self.character.shots) / 2:
            self.notes.append(
                f"{self.rejected} of {len(self.character.shots)} shots were not accepted as the "
                "character: these models may not be able to draw such images."
            )
