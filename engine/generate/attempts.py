"""The one loop in which images are made: measured, judged, made again with a cause, the best kept.

What differs between capabilities stands in three things that they supply: a camera (how an image is
made), checks (what is measured in it, and whether it will do), and a remedy (what to change after
what went wrong).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch

from ..comfyui.sampling import OnStep
from ..store.images import ImageStore, StoredImage

_GOLDEN = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio: odd, so that no two multiples of it are alike, and far."""


def spread(seed: int, number: int, bits: int = 64) -> int:
    """Seed ``number`` of those that belong to ``seed``, far from those of the seeds beside it."""
    return (seed + number * _GOLDEN) % 2**bits


@dataclass(frozen=True)
class Attempt:
    """How one image is made: all that may differ from the other attempts at the same one.

    cfg, denoise and lora_strength are those of the sampling, where it has them. blind_negative:
    the negative prompt is encoded without the original, so that guidance moves towards the original
    as well as towards the prompt. reason: what this attempt does differently, in words.
    """

    seed: int
    prompt: str
    negative: str = ""
    cfg: float | None = None
    denoise: float = 1.0
    lora_strength: float | None = None
    blind_negative: bool = False
    reason: str = ""


class AttemptVerdict(Protocol):
    """What checks say of an image; ``rank`` is higher for the one to keep."""

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with it."""

    @property
    def rank(self) -> Any:
        """What is compared: a tuple of numbers."""


class MeasuredValues(Protocol):
    """What was measured in an image."""

    def record(self) -> dict[str, Any]:
        """It as JSON values, in which tuples are lists."""


V = TypeVar("V", bound=AttemptVerdict)
V_co = TypeVar("V_co", bound=AttemptVerdict, covariant=True)
M = TypeVar("M", bound=MeasuredValues)


class Camera(Protocol):
    """Makes the image of an attempt."""

    def key(self, attempt: Attempt) -> str:
        """The name of the attempt's image: it says all that determines it."""

    def take(self, attempt: Attempt, on_step: OnStep | None) -> torch.Tensor:
        """The image (H, W, 3) in 0..1."""

    def record(self, attempt: Attempt, number: int) -> Mapping[str, Any]:
        """What is written down of it as attempt ``number``, as JSON values."""


class Checks(Protocol[M, V_co]):
    """Measures images and judges them."""

    def measure(self, image: torch.Tensor, known: Any) -> M:
        """What there is to see in ``image``; ``known``: the record of what was measured earlier."""

    def judge(self, stored: StoredImage, measures: M, number: int) -> V_co:
        """What the ``measures`` of attempt ``number``, from 1, mean for what was asked."""


Remedy = Callable[[Sequence[V]], Attempt]
"""The next attempt after those that were judged so, in order; after none, the first."""


@dataclass(frozen=True, eq=False)
class AttemptResult(Generic[M, V]):
    """What became of attempt ``number``. found: its image was on the disk already."""

    attempt: Attempt
    number: int
    key: str
    image: torch.Tensor
    measures: M
    verdict: V
    found: bool


@dataclass(frozen=True)
class Watch(Generic[M, V]):
    """Who hears of attempts: before an image is made, at each step of it, and when it is judged."""

    begins: Callable[[int, str], None] = lambda _number, _key: None
    ended: Callable[[AttemptResult[M, V]], None] = lambda _tried: None
    on_step: OnStep | None = None


def make_best(
    camera: Camera,
    checks: Checks[M, V],
    remedy: Remedy[V],
    store: ImageStore,
    tries: int,
    watch: Watch[M, V] | None = None,
) -> tuple[list[AttemptResult[M, V]], int]:
    """Makes an image until it passes its checks, ``tries`` times at most.

    Returns every attempt, and the index of the best: of those that rank alike, the first. What
    stands in ``store`` is not made again.
    """
    watch = watch or Watch()
    history: list[AttemptResult[M, V]] = []
    for number in range(1, tries + 1):
        attempt = remedy([one.verdict for one in history])
        key = camera.key(attempt)
        stored = store.load(key)
        found = stored is not None
        if stored is None:
            watch.begins(number, key)
            stored = store.save(
                key, camera.take(attempt, watch.on_step), camera.record(attempt, number)
            )
        measures, verdict = judged(checks, store, key, stored, number)
        history.append(AttemptResult(attempt, number, key, stored.image, measures, verdict, found))
        watch.ended(history[-1])
        if verdict.passed:
            break
    return history, max(range(len(history)), key=lambda index: history[index].verdict.rank)


def judged(
    checks: Checks[M, V], store: ImageStore, key: str, stored: StoredImage, number: int
) -> tuple[M, V]:
    """What is measured in a stored image, which is noted beside it, and what that means."""
    known = stored.record.get("measures")
    measures = checks.measure(stored.image, known)
    record = measures.record()
    if record != known:
        store.note(key, measures=record)
    return measures, checks.judge(stored, measures, number)
