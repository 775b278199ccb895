"""Makes the shots of a plan: from the original, measured, retried with a cause, kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import torch

from ...comfyui.sampling import OnStep
from ...core.character import Character, Score, Shot, shot_from_record
from ...store.images import StoredImage
from ...studio.studio import Studio
from ..attempts import AttemptResult, Watch, judged, make_best
from .camera import Line, ShotCamera
from .decisions import NONE, PIN, Decision, names
from .gates import DUPLICATE_GATE, IDENTITY_GATE, SHARPNESS_GATE, Gates, ShotLook, look
from .plan import ShotPlan, ShotRequest, shows_detail
from .reading import Reading, reading_from_record
from .remedies import RetryRules, next_attempt
from .store import ShotStore

State = Literal["sampling", "retried", "accepted", "failed"]


@dataclass(frozen=True)
class ShotProgress:
    """What just happened to one line of the plan.

    shot: the image of the attempt that ended, None while the state is "sampling". ``request`` is
    number ``number`` of ``total``, ``key`` the attempt's name on disk, ``attempt`` its number, from
    1. An attempt begins with "sampling" and ends with "retried" when another one follows; the line
    ends with "accepted" or "failed", with the shot that is kept and its key. found: all of it was
    on disk already.
    """

    shot: Shot | None
    number: int
    total: int
    request: ShotRequest
    key: str = ""
    attempt: int = 1
    state: State = "sampling"
    found: bool = False

    @property
    def ended(self) -> bool:
        return self.state in ("accepted", "failed")


Tell = Callable[[ShotProgress], None]
Scores = Callable[
    [ShotRequest, torch.Tensor, Reading, ShotLook, Sequence[ShotLook]], tuple[Score, ...]
]
"""What every gate says of an image (H, W, 3): of its reading, its look, and what it may repeat."""


@dataclass(frozen=True, eq=False)
class ShotKind:
    """What differs between kinds of shoots: how a line is asked for, what is measured, what leaves.

    finished: what leaves the shoot for a shot that was decided on.
    """

    line: Callable[[ShotRequest], Line]
    scores: Scores
    finished: Callable[[Shot], Shot] = lambda shot: shot


@dataclass(frozen=True, eq=False)
class JudgedShot:
    """A shot with its scores, its name on disk and what was read in it."""

    shot: Shot
    reading: Reading

    @property
    def passed(self) -> bool:
        return self.shot.accepted

    @property
    def failed(self) -> list[str]:
        """The gates that it did not pass."""
        return [score.gate for score in self.shot.scores if score.passed is False]

    @property
    def rank(self) -> tuple[int, float]:
        """Higher for the one to keep: fewer failed gates, then the more alike."""
        identity = self.shot.score(IDENTITY_GATE)
        alike = identity.value if identity is not None and identity.value is not None else 0.0
        return -len(self.failed), alike


@dataclass(frozen=True, eq=False)
class ShotChecks:
    """Measures one line's attempts; ``looks`` are of what none of them may repeat."""

    request: ShotRequest
    gates: Gates
    scores: Scores
    looks: Sequence[ShotLook]

    def measure(self, image: torch.Tensor, known: Any) -> Reading:
        """The reading of ``image`` (H, W, 3), without measuring again what is ``known``."""
        return self.gates.read(image, reading_from_record(known))

    def judge(self, stored: StoredImage, measures: Reading, number: int) -> JudgedShot:
        """The shot with its scores, as attempt ``number``; 0 leaves the number it has."""
        request, shot = self.request, shot_from_record(stored.record, stored.image)
        this = look(shot.image, measures, shot.hash)
        scores = self.scores(request, shot.image, measures, this, self.looks)
        if shows_detail(request.instruction):
            scores = tuple(map(_of_detail, scores))
        provenance = shot.provenance
        if number:
            provenance = replace(provenance, attempt=number, tries=number)
        judged = replace(shot, tags=request.tags, scores=scores, provenance=provenance)
        return JudgedShot(judged, measures)


def request_seed(seed: int, name: str) -> int:
    """The seed of the request called ``name`` in a shoot with ``seed``.

    It comes from what is asked and not from where it stands, so that a plan whose lines are moved,
    taken out or added to makes the other shots as before.
    """
    digest = hashlib.sha256(name.encode()).digest()
    return (seed + int.from_bytes(digest[:8], "big")) % 2**63


@dataclass(frozen=True, eq=False)
class Shoot:
    """A shoot of one character: every shot starts from the original, never from another shot."""

    character: Character
    gates: Gates
    seed: int
    kind: ShotKind
    rules: RetryRules = field(default_factory=RetryRules)

    def run(
        self,
        plan: ShotPlan,
        store: ShotStore,
        on_shot: Tell | None = None,
        on_step: OnStep | None = None,
        decisions: Mapping[str, Decision] | None = None,
    ) -> list[Shot]:
        """One shot for each request of ``plan``, in order; attempts in ``store`` are not remade.

        ``on_shot`` hears of each attempt's beginning and end, ``on_step`` of each step within it.
        ``decisions`` are a person's, by the names that `decisions.names` gives the requests.
        """
        tell = on_shot or (lambda _: None)
        shots: list[Shot] = []
        looks = self._looks()
        for number, (name, request) in enumerate(
            zip(names(plan.requests), plan.requests, strict=True), 1
        ):
            decision = (decisions or {}).get(name, NONE)
            now = ShotProgress(None, number, len(plan.requests), request)
            checks = ShotChecks(request, self.gates, self.kind.scores, looks)
            seed = decision.seed(request_seed(self.seed, name))
            key, kept, found = self._pinned(decision, checks, store) or self._made(
                seed, checks, store, now, tell, on_step
            )
            store.save(key, kept.shot, kept.reading)
            shot = self.kind.finished(decision.applied(kept.shot))
            shots.append(shot)
            if shot.include:
                looks.append(look(shot.image, kept.reading, shot.hash))
            state: State = "accepted" if shot.accepted else "failed"
            tries = shot.provenance.tries
            tell(replace(now, shot=shot, key=key, attempt=tries, state=state, found=found))
        return shots

    def _pinned(
        self, decision: Decision, checks: ShotChecks, store: ShotStore
    ) -> tuple[str, JudgedShot, bool] | None:
        """What was pinned, which is kept whatever the gates have come to say; None for nothing."""
        if decision.state != PIN or not decision.hash:
            return None
        key = store.find(decision.hash)
        stored = store.attempts.load(key) if key else None
        if stored is None:
            return None
        return key, judged(checks, store.attempts, key, stored, 0)[1], True

    def _made(
        self,
        seed: int,
        checks: ShotChecks,
        store: ShotStore,
        now: ShotProgress,
        tell: Tell,
        on_step: OnStep | None,
    ) -> tuple[str, JudgedShot, bool]:
        """The best attempt of one line, its key, and whether nothing had to be sampled for it.

        It is left out of the dataset when it failed a gate.
        """
        rules, line = self.rules, self.kind.line(checks.request)
        first = line.first(seed)

        def remedy(before: Sequence[JudgedShot]) -> Any:
            failures = [one.failed for one in before]
            return next_attempt(first, failures, rules, line.camera.reference.mode, line.prompt)

        def ended(tried: AttemptResult[Reading, JudgedShot]) -> None:
            if not (tried.found or tried.verdict.passed) and tried.number < rules.tries:
                shot, key = tried.verdict.shot, tried.key
                tell(replace(now, shot=shot, key=key, attempt=tried.number, state="retried"))

        watch = Watch(
            lambda number, key: tell(replace(now, key=key, attempt=number)), ended, on_step
        )
        history, best = make_best(line, checks, remedy, store.attempts, rules.tries, watch)
        kept, shot = history[best], history[best].verdict.shot
        provenance = replace(shot.provenance, tries=len(history))
        shot = replace(shot, provenance=provenance, include=shot.accepted)
        found = all(one.found for one in history)
        return kept.key, replace(kept.verdict, shot=shot), found

    def _looks(self) -> list[ShotLook]:
        """What no shot may repeat: the original, and the shots that the character has."""
        character = self.character
        embedding = self.gates.source_embedding
        known = Reading(embedding=() if embedding is None else tuple(embedding.tolist()))
        looks = [look(character.source.image, known, character.source.hash)]
        return looks + [
            look(shot.image, Reading(), shot.hash) for shot in character.shots if shot.include
        ]


def plain_shoot(
    character: Character, studio: Studio, gates: Gates, seed: int, rules: RetryRules | None = None
) -> Shoot:
    """A shoot of ``character`` alone, as a plan asks for."""
    kind = plain_kind(ShotCamera(character, studio), gates)
    return Shoot(character, gates, seed, kind, rules or RetryRules())


def plain_kind(camera: ShotCamera, gates: Gates) -> ShotKind:
    """Shots of one character; one made by an instruction shows what the original shows."""

    def line(request: ShotRequest) -> Line:
        prompt = partial(camera.reference.prompt, request.tags, request.instruction)
        return Line(request, camera, prompt, edits=bool(request.instruction))

    return ShotKind(line, plain_scores(gates))


def plain_scores(gates: Gates) -> Scores:
    """What the gates of every shot say."""
    return lambda request, _, reading, this, looks: gates.judge(reading, request.tags, this, looks)


def _of_detail(score: Score) -> Score:
    """``score`` of an image that shows a tattoo or the like, on which no face can be judged."""
    if score.gate in (SHARPNESS_GATE, DUPLICATE_GATE):
        return score
    return Score(score.gate, score.value, None, None, "a detail is shown, not the whole character")
