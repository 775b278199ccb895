"""Runs the protocol: the same prompts and seeds without the LoRA and with each candidate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from ..character import Character
from ..measure.embedding import embed
from ..measure.faces import find_face
from ..sampling import Sampling, encode_prompt, sample
from .apply import LoraWeights, with_lora
from .calibrate import Calibration
from .copies import CopyFinder
from .protocol import TestPrompt
from .score import Condition, Sample, ScoreCard, condition

FIRST_LOOK = 4
OFF, IN_WORDS = "LoRA off", "described in words"


@dataclass(frozen=True)
class Candidate:
    """A LoRA that may be the best: ``load`` reads its weights when its turn comes."""

    name: str
    strength: float
    load: Callable[[], LoraWeights]
    step: int | None = None
    path: str = ""
    loss: float | None = None

    @property
    def label(self) -> str:
        """As in 'step 200 at strength 0.8'."""
        return f"{self.name} at strength {self.strength:g}"


@dataclass(frozen=True)
class Bench:
    """The models to sample and to measure with, and how to sample."""

    model: Any
    clip: Any
    vae: Any
    clip_vision: Any
    sampling: Sampling
    face_model: Any = None
    negative: str = ""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The score card and the pictures it was made from, by condition and prompt."""

    card: ScoreCard
    best: Candidate
    pictures: dict[str, list[torch.Tensor]] = field(default_factory=dict)


OnPicture = Callable[[int, int, torch.Tensor], None]


def evaluate(
    character: Character,
    candidates: Sequence[Candidate],
    bench: Bench,
    prompts: Sequence[TestPrompt],
    description: str = "",
    notes: Sequence[str] = (),
    on_picture: OnPicture | None = None,
) -> Evaluation:
    """Scores every candidate on the first few prompts, and the best of them on all.

    Where likeness cannot be judged, the last candidate stands in for the best.
    ``on_picture`` gets the number of pictures made, how many there will be, and the last one.
    Raises ValueError when there is no candidate, or a LoRA does not belong to the model.
    """
    if not candidates:
        raise ValueError("There is no LoRA to score; train one or connect one.")
    return _Evaluation(character, candidates, bench, prompts, description, notes, on_picture).run()


class _Evaluation:
    def __init__(
        self,
        character: Character,
        candidates: Sequence[Candidate],
        bench: Bench,
        prompts: Sequence[TestPrompt],
        description: str,
        notes: Sequence[str],
        on_picture: OnPicture | None,
    ) -> None:
        self.character, self.candidates, self.bench = character, candidates, bench
        self.prompts, self.description, self.on_picture = prompts, description, on_picture
        self.notes = list(notes)
        self.pictures: dict[str, list[torch.Tensor]] = {}
        self.measured: dict[str, list[Sample]] = {}
        self.first_look = len(prompts) if len(candidates) == 1 else min(FIRST_LOOK, len(prompts))
        without = 2 if description else 1
        looks = len(candidates) * self.first_look + len(prompts) - self.first_look
        self.done, self.total = 0, without * len(prompts) + looks
        self.views_measured = self._face_in_original()
        embeddings = embed(bench.clip_vision, [shot.image for shot in character.pictures])
        self.original = embeddings[0]
        by_hash = dict(zip((s.hash for s in character.pictures), embeddings, strict=True))
        dataset = character.dataset or (character.source,)
        self.copies = CopyFinder(dataset, torch.stack([by_hash[shot.hash] for shot in dataset]))
        self.positives = tuple(
            float(by_hash[shot.hash] @ self.original)
            for shot in character.shots
            if shot.include and shot.accepted and shot.tags.view != "back"
        )
        self.rejected = sum(not (shot.include and shot.accepted) for shot in character.shots)

    def run(self) -> Evaluation:
        who = f"{self.character.trigger} {self.character.class_word}"
        self._make(OFF, who, self.bench.model, self.bench.clip, len(self.prompts))
        null = tuple(sample.similarity for sample in self.measured[OFF])
        calibration = Calibration(null, self.positives, self.rejected, self._reproduction())
        if self.description:
            self._make(
                IN_WORDS, self.description, self.bench.model, self.bench.clip, len(self.prompts)
            )
        tried = [self._try(candidate, who, calibration) for candidate in self.candidates]
        number = len(tried) - 1
        if not calibration.problem:
            number = max(range(len(tried)), key=lambda n: tried[n].identity.value or 0.0)
        chosen = self.candidates[number]
        if self.first_look < len(self.prompts):
            tried[number] = self._try(chosen, who, calibration, len(self.prompts))
        if calibration.positives and len(calibration.positives) < 5:
            self.notes.append(
                f"Calibrated on {len(calibration.positives)} pictures of the character only; five "
                "or more give a firmer scale."
            )
        if self.rejected > len(self.character.shots) / 2:
            self.notes.append(
                f"{self.rejected} of {len(self.character.shots)} shots were not accepted as the "
                "character: these models may not know such pictures."
            )
        words = self.measured.get(IN_WORDS)
        card = ScoreCard(
            character=self.character.name,
            trigger=self.character.trigger,
            class_word=self.character.class_word,
            character_hash=self.character.hash,
            calibration=calibration,
            off=self._condition(OFF, calibration),
            tried=tuple(tried),
            best=tried[number],
            words=None if words is None else self._condition(IN_WORDS, calibration),
            notes=tuple(self.notes),
            settings={
                **asdict(self.bench.sampling),
                "seed": self.prompts[0].seed,
                "prompts": len(self.prompts),
                "negative": self.bench.negative,
                "description": self.description,
                "training_pictures": len(self.character.dataset),
            },
            usual_cosine=self.copies.usual_cosine,
        )
        return Evaluation(card, chosen, self.pictures)

    def _try(
        self, candidate: Candidate, who: str, calibration: Calibration, count: int | None = None
    ) -> Condition:
        model, clip = with_lora(
            self.bench.model, self.bench.clip, candidate.load(), candidate.strength
        )
        self._make(candidate.label, who, model, clip, count or self.first_look)
        return replace(
            self._condition(candidate.label, calibration),
            step=candidate.step,
            strength=candidate.strength,
            path=candidate.path,
            loss=candidate.loss,
        )

    def _make(self, label: str, who: str, model: Any, clip: Any, count: int) -> None:
        """Makes and measures the pictures of the first ``count`` prompts that are still missing."""
        pictures = self.pictures.setdefault(label, [])
        samples = self.measured.setdefault(label, [])
        bench = self.bench
        negative = encode_prompt(clip, bench.negative, bench.sampling.guidance)
        for prompt in self.prompts[len(samples) : count]:
            text = prompt.text(who)
            positive = encode_prompt(clip, text, bench.sampling.guidance)
            made = sample(model, bench.vae, positive, negative, bench.sampling, prompt.seed)
            image = made[0].detach()
            pictures.append(image)
            samples.append(self._measure(prompt, text, image))
            self.done += 1
            if self.on_picture is not None:
                self.on_picture(self.done, self.total, image)

    def _measure(self, prompt: TestPrompt, text: str, image: torch.Tensor) -> Sample:
        embedding = embed(self.bench.clip_vision, image[None])[0]
        face = find_face(self.bench.face_model, image) if self.views_measured else None
        return Sample(
            prompt=prompt,
            text=text,
            similarity=float(embedding @ self.original),
            score=None,
            yaw=None if face is None else face.yaw,
            nearest=self.copies.nearest(image, embedding),
        )

    def _condition(self, label: str, calibration: Calibration) -> Condition:
        samples = tuple(
            replace(sample, score=calibration.score(sample.similarity))
            for sample in self.measured[label]
        )
        return condition(label, samples, calibration, self.views_measured)

    def _reproduction(self) -> float:
        """PSNR in dB of the original after the VAE's round trip, at the samples' size."""
        size = (self.bench.sampling.height, self.bench.sampling.width)
        image = self.character.source.image.movedim(-1, 0)[None]
        image = torch.nn.functional.interpolate(image, size, mode="bilinear", antialias=True)
        given = image.movedim(1, -1)
        back = self.bench.vae.decode(self.bench.vae.encode(given)).to(given).clamp(0, 1)
        error = (back.detach().reshape(given.shape) - given).square().mean()
        return float(-10 * torch.log10(error.clamp_min(1e-6)))

    def _face_in_original(self) -> bool:
        """Whether views can be measured: there is a face model, and it sees the original's face."""
        if self.bench.face_model is None:
            self.notes.append("No FACE_DETECTION_MODEL is connected, so views were not measured.")
            return False
        face = find_face(self.bench.face_model, self.character.source.image)
        if face is None:
            self.notes.append(
                "The face model finds no face in the original picture, so views were not measured: "
                "this model does not know such faces, or the face is hidden or too small."
            )
            return False
        return True
