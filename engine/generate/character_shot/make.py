"""Makes pictures of a character with its LoRA: asked, measured, tried again by cause, kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from ...comfyui.apply import with_lora
from ...comfyui.sampling import (
    Conditioning,
    Sampling,
    encode_prompt,
    fingerprint,
    model_fingerprint,
    sample,
)
from ...core.character import quantise
from ...scoring.cache import picture_key
from .conflicts import Conflict, conflicts, mentions
from .judge import Judge, Verdict
from .lora import Calls, LoraFile
from .retry import Plan, plan, seed_of
from .store import Pictures
from .wording import Wording, Writer, understands_weights

MANY = 10_000


@dataclass(frozen=True)
class Studio:
    """What samples: the models, how, and a person's own negative. strength: of the LoRA."""

    model: Any
    clip: Any
    vae: Any
    sampling: Sampling
    negative: str = ""
    lora: LoraFile | None = None
    strength: float = 1.0


@dataclass(frozen=True, eq=False)
class Try:
    """One picture that was made. found: it was on disk already. key: its name there."""

    image: torch.Tensor
    wording: Wording
    seed: int
    plan: Plan
    verdict: Verdict
    key: str
    found: bool


@dataclass(frozen=True, eq=False)
class Picture:
    """What became of one line: every try, and which of them is kept."""

    prompt: str
    tries: tuple[Try, ...]
    best: int
    conflicts: tuple[Conflict, ...] = ()

    @property
    def kept(self) -> Try:
        """The try that is kept."""
        return self.tries[self.best]

    def record(self, lora: str, measured_by: str) -> dict[str, Any]:
        """What is written into the kept picture's file. measured_by: what told its likeness."""
        kept, verdict = self.kept, self.kept.verdict
        return {
            "prompt": kept.wording.positive,
            "negative": kept.wording.negative,
            "asked": self.prompt,
            "seed": kept.seed,
            "lora": lora,
            "strength": kept.plan.strength,
            "kept": f"{self.best + 1} of {len(self.tries)}",
            "passed": verdict.passed,
            "score": verdict.score,
            "cosine": verdict.cosine,
            "measured_by": measured_by,
            "yaw": verdict.yaw,
            "causes": list(verdict.causes),
        }


OnPicture = Callable[[int, int, torch.Tensor], None]


def prompt_lines(text: str) -> list[str]:
    """The prompts in ``text``, one a line; ValueError when there is none, or far too many."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line.strip(" ,.") and not line.startswith("#")]
    if not lines:
        raise ValueError("The prompt is empty; write what to show, one picture a line.")
    if len(lines) > MANY:
        raise ValueError(f"{len(lines)} prompts are more than {MANY}; give fewer at a time.")
    return lines


@dataclass(eq=False)
class Shoot:
    """Makes pictures of whoever is called ``calls``; ``said`` is what is known of them in words.

    ``notes`` say what could not be done. Raises ValueError when the LoRA belongs to another model.
    """

    studio: Studio
    calls: Calls
    judge: Judge
    store: Pictures
    said: Iterable[str] = ()
    tries: int = 3
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        studio = self.studio
        cfg = studio.sampling.cfg
        weighted = understands_weights(studio.clip)
        self.writer = Writer(self.calls, weighted, cfg > 1, studio.negative)
        self.known = mentions(self.said)
        if not self.calls.trigger:
            self.notes.append(
                "Nothing says how the character is called, so prompts are used as written; "
                "connect the character, or choose a LoRA whose file names its trigger."
            )
        if studio.lora is None:
            self.notes.append("The LoRA is in the MODEL, so its strength was left alone.")
        vae = fingerprint(studio.vae)
        self._common = (model_fingerprint(studio.model), self._text(studio.clip), vae)
        self._patched: dict[float, tuple[Any, Any, str]] = {}
        self._negatives: dict[tuple[float, str], Conditioning] = {}
        self._with(studio.strength)  # a LoRA of another model is said before anything is made

    def run(
        self,
        prompts: Iterable[str],
        count: int,
        seed: int,
        on_picture: OnPicture | None = None,
    ) -> list[Picture]:
        """``count`` pictures for each prompt; tries that stand in the store are not made again.

        ``on_picture`` gets the number of pictures done, how many there will be, and the last one.
        A prompt that stands twice gets other seeds the second time.
        """
        seen: Counter[str] = Counter()
        wanted = []
        for prompt in prompts:
            wanted += [(prompt, seen[prompt] + number) for number in range(count)]
            seen[prompt] += count
        made = []
        for prompt, number in wanted:
            made.append(self._picture(prompt, number, seed))
            if on_picture is not None:
                on_picture(len(made), len(wanted), made[-1].kept.image)
        return made

    def _picture(self, prompt: str, number: int, seed: int) -> Picture:
        tries: list[Try] = []
        studio = self.studio
        for attempt in range(1, self.tries + 1):
            verdicts = [one.verdict for one in tries]
            planned = plan(studio.strength, verdicts, studio.lora is not None)
            wording = self.writer.write(prompt, planned.emphasis)
            tries.append(self._try(wording, planned, seed_of(seed, number, attempt)))
            if tries[-1].verdict.passed:
                break
        best = max(range(len(tries)), key=lambda index: tries[index].verdict.rank)
        return Picture(prompt, tuple(tries), best, tuple(conflicts(prompt, self.known)))

    def _try(self, wording: Wording, planned: Plan, seed: int) -> Try:
        key = picture_key(
            self._common,
            self._with(planned.strength)[2],
            self.studio.sampling,
            wording.positive,
            wording.negative,
            seed,
        )
        stored = self.store.load(key)
        if stored is None:
            image, known = self._sample(wording, planned.strength, seed), None
            recipe = {
                "prompt": wording.positive,
                "negative": wording.negative,
                "seed": seed,
                "strength": planned.strength,
            }
            self.store.save(key, image, recipe)
        else:
            image, known = stored
        measures = self.judge.measure(image, known)
        if measures != known:
            self.store.save_measures(key, measures)
        verdict = self.judge.judge(measures, wording.view)
        return Try(image, wording, seed, planned, verdict, key, stored is not None)

    def _sample(self, wording: Wording, strength: float, seed: int) -> torch.Tensor:
        model, clip, _ = self._with(strength)
        sampling = self.studio.sampling
        positive = encode_prompt(clip, wording.positive, sampling.guidance)
        if (strength, wording.negative) not in self._negatives:
            unwanted = encode_prompt(clip, wording.negative, sampling.guidance)
            self._negatives[strength, wording.negative] = unwanted
        negative = self._negatives[strength, wording.negative]
        image = sample(model, self.studio.vae, positive, negative, sampling, seed)[0]
        # As it comes back from the disk, so that a rerun measures the same.
        return quantise(image.detach()).to(torch.float32) / 255

    def _with(self, strength: float) -> tuple[Any, Any, str]:
        """The models with the LoRA at ``strength``, and a short hash of them."""
        studio = self.studio
        if studio.lora is None:
            return studio.model, studio.clip, ""
        if strength not in self._patched:
            try:
                model, clip = with_lora(studio.model, studio.clip, studio.lora.weights, strength)
            except ValueError as error:
                family = studio.lora.family
                told = f" Its file says that it was trained on {family}." if family else ""
                raise ValueError(f"{error}{told}") from error
            name = f"{model_fingerprint(model)} {self._text(clip)}"
            self._patched[strength] = (model, clip, name)
        return self._patched[strength]

    @staticmethod
    def _text(clip: Any) -> str:
        return model_fingerprint(clip.patcher)
