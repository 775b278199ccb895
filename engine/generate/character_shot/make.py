"""Makes images of a character with its LoRA: prompted, measured, tried again by cause, kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ...comfyui.lora import LoraFile
from ...comfyui.lora_camera import LoraCamera
from ...comfyui.lora_metadata import Calls
from ...comfyui.models import Models
from ...comfyui.sampling import OnStep, Sampling
from ...core.errors import FacetError
from ...store.files import write_atomic
from ...store.images import CHUNK, ImageStore, StoredImage, image_bytes, record_text, with_texts
from ..attempts import Attempt, AttemptResult, make_best
from .conflicts import Conflict, conflicts, mentions
from .judge import ImageJudge, Measures, Verdict, measures_from
from .remedies import next_attempt
from .wording import Writer, asked_view, understands_weights

MANY = 10_000
TRIES = "tries"

CharacterAttempt = AttemptResult[Measures, Verdict]
OnImage = Callable[[int, int, torch.Tensor], None]


@dataclass(frozen=True, eq=False)
class PromptResult:
    """What became of one prompt: every attempt, and which of them is kept."""

    prompt: str
    tries: tuple[CharacterAttempt, ...]
    best: int
    conflicts: tuple[Conflict, ...] = ()

    @property
    def kept(self) -> CharacterAttempt:
        return self.tries[self.best]

    def record(self, lora: str, measured_by: str) -> dict[str, Any]:
        """What is written into the kept image's file. measured_by: what told its likeness."""
        attempt, verdict = self.kept.attempt, self.kept.verdict
        return {
            "prompt": attempt.prompt,
            "negative": attempt.negative,
            "asked": self.prompt,
            "seed": attempt.seed,
            "lora": lora,
            "strength": attempt.lora_strength,
            "kept": f"{self.best + 1} of {len(self.tries)}",
            "passed": verdict.passed,
            "score": verdict.score,
            "cosine": verdict.cosine,
            "measured_by": measured_by,
            "yaw": verdict.yaw,
            "causes": list(verdict.causes),
        }


def prompt_lines(text: str) -> list[str]:
    """The prompts in ``text``, one a line; FacetError when there is none, or far too many."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line.strip(" ,.") and not line.startswith("#")]
    if not lines:
        raise FacetError("The prompt is empty; write what to show, one picture a line.")
    if len(lines) > MANY:
        raise FacetError(f"{len(lines)} prompts are more than {MANY}; give fewer at a time.")
    return lines


class CharacterCamera:
    """The models with the character's LoRA: the camera of attempts.

    strength: the LoRA's in the first attempt.
    Raises FacetError when the LoRA belongs to another model, before anything is made.
    """

    def __init__(
        self, models: Models, sampling: Sampling, lora: LoraFile | None, strength: float
    ) -> None:
        self.lora, self.strength = lora, strength
        self.camera = LoraCamera(models, sampling, None if lora is None else lora.weights)
        try:
            self.camera.patched(strength)
        except FacetError as error:
            family = "" if lora is None else lora.family
            told = f" Its file says that it was trained on {family}." if family else ""
            raise FacetError(f"{error}{told}") from error

    def key(self, attempt: Attempt) -> str:
        strength = attempt.lora_strength or 0.0
        return self.camera.key(attempt.prompt, attempt.negative, attempt.seed, strength)

    def take(self, attempt: Attempt, on_step: OnStep | None = None) -> torch.Tensor:
        strength = attempt.lora_strength or 0.0
        return self.camera.image(attempt.prompt, attempt.negative, attempt.seed, strength, on_step)

    def record(self, attempt: Attempt, number: int) -> Mapping[str, Any]:
        return {
            "prompt": attempt.prompt,
            "negative": attempt.negative,
            "seed": attempt.seed,
            "strength": attempt.lora_strength,
            "attempt": number,
        }


@dataclass(frozen=True, eq=False)
class CharacterChecks:
    """What ``judge`` says of images whose prompt asked for ``view``; '' for none."""

    criteria: ImageJudge
    view: str

    def measure(self, image: torch.Tensor, known: Any) -> Measures:
        return self.criteria.measure(image, measures_from(known))

    def judge(self, stored: StoredImage, measures: Measures, number: int) -> Verdict:
        return self.criteria.judge(measures, self.view)


@dataclass(eq=False)
class CharacterShoot:
    """Makes images of whoever is called ``calls``, in ``folder``.

    Those that are kept stand in it, with what is known of them inside, and every attempt in its
    folder ``tries``. said: what is known of the character in words. negative: a person's own.
    ``notes`` say what could not be done.
    """

    camera: CharacterCamera
    calls: Calls
    judge: ImageJudge
    folder: Path
    said: Iterable[str] = ()
    tries: int = 3
    negative: str = ""
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        camera = self.camera.camera
        weighted = understands_weights(camera.models.clip)
        self.writer = Writer(self.calls, weighted, camera.sampling.cfg > 1, self.negative)
        self.known = mentions(self.said)
        self.store = ImageStore(self.folder / TRIES)
        if not self.calls.trigger:
            self.notes.append(
                "The trigger is not known, so prompts are used as written; connect the character, "
                "or choose a LoRA whose file names its trigger."
            )
        if self.camera.lora is None:
            self.notes.append("The LoRA is already in the MODEL, so its strength was not changed.")
        if camera.note:
            self.notes.append(camera.note)

    def run(
        self, prompts: Iterable[str], count: int, seed: int, on_image: OnImage | None = None
    ) -> list[PromptResult]:
        """``count`` images for each prompt; attempts that stand in the folder are not made again.

        ``on_image`` gets the number of images done, how many there will be, and the last one.
        A prompt that stands twice gets other seeds the second time.
        """
        seen: Counter[str] = Counter()
        wanted = []
        for prompt in prompts:
            wanted += [(prompt, seen[prompt] + number) for number in range(count)]
            seen[prompt] += count
        made: list[PromptResult] = []
        for prompt, number in wanted:
            made.append(self._image(prompt, seed + number))
            if on_image is not None:
                on_image(len(made), len(wanted), made[-1].kept.image)
        return made

    def keep(
        self, result: PromptResult, record: Mapping[str, Any], texts: Mapping[str, str]
    ) -> Path:
        """Writes the image that is kept, with ``record`` and the ``texts`` in its file."""
        key, path = result.kept.key, self.folder / f"{result.kept.key}.png"
        try:
            png = self.store.path(key).read_bytes()
        except OSError:
            png = image_bytes(result.kept.image)
        write_atomic(path, with_texts(png, {CHUNK: record_text(record), **texts}))
        return path

    def _image(self, prompt: str, seed: int) -> PromptResult:
        # The first attempt has the seed itself, as any sampler node would make it.
        first = Attempt(seed % 2**64, prompt, lora_strength=self.camera.strength)
        adjustable = self.camera.lora is not None

        def remedy(before: Sequence[Verdict]) -> Attempt:
            return next_attempt(
                first, before, adjustable, lambda emphasis: self.writer.write(prompt, emphasis)
            )

        checks = CharacterChecks(self.judge, asked_view(prompt))
        tries, best = make_best(self.camera, checks, remedy, self.store, self.tries)
        return PromptResult(prompt, tuple(tries), best, tuple(conflicts(prompt, self.known)))
