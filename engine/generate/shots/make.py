"""Makes the shots of a plan: from the original, measured, retried with a cause, kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from ...core.character import Character, Provenance, Score, Shot
from .accept import Gates, better, failed
from .camera import Camera, Recipe, Studio
from .decisions import NONE, PIN, Decision, names
from .gates import DUPLICATE_GATE, SHARPNESS_GATE, Look, look
from .instructions import shows_detail
from .plan import ShotPlan, ShotRequest
from .reading import Reading
from .retry import RetryRules, remedy
from .store import ShotStore

State = Literal["sampling", "retried", "accepted", "failed"]


@dataclass(frozen=True)
class Progress:
    """What just happened to one line of the plan.

    shot: the picture of the try that ended, None while the state is "sampling". ``request`` is
    number ``number`` of ``total``, ``key`` the try's name on disk, ``attempt`` its number, from 1.
    A try begins with "sampling" and ends with "retried" when another one follows; the line ends
    with "accepted" or "failed", with the shot that is kept and its key. found: all of it was on
    disk already.
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
        """Whether the line is done."""
        return self.state in ("accepted", "failed")


@dataclass(frozen=True, eq=False)
class Try:
    """A measured picture and its name on disk."""

    shot: Shot
    key: str
    reading: Reading


Tell = Callable[[Progress], None]
OnStep = Callable[[int, torch.Tensor], None]


def request_seed(seed: int, name: str) -> int:
    """The seed of the request called ``name`` in a shoot with ``seed``.

    It comes from what is asked and not from where it stands, so that a plan whose lines are moved,
    taken out or added to makes the other shots as before.
    """
    digest = hashlib.sha256(name.encode()).digest()
    return (seed + int.from_bytes(digest[:8], "big")) % 2**63


class Shoot:
    """A shoot of one character: every shot starts from the original, never from another shot."""

    def __init__(
        self,
        character: Character,
        studio: Studio,
        gates: Gates,
        seed: int,
        tries: int = 3,
        rules: RetryRules | None = None,
    ) -> None:
        self.character = character
        self.gates = gates
        self.seed = seed
        self.rules = rules or RetryRules(tries=tries)
        self.camera = Camera(character, studio)

    def run(
        self,
        plan: ShotPlan,
        store: ShotStore,
        on_shot: Tell | None = None,
        on_step: OnStep | None = None,
        decisions: Mapping[str, Decision] | None = None,
    ) -> list[Shot]:
        """One shot for each request of ``plan``, in order; tries in ``store`` are not remade.

        ``on_shot`` hears of each try's beginning and end, ``on_step`` of each step within it.
        ``decisions`` are a person's, by the names that `decisions.names` gives the requests.
        """
        tell = on_shot or (lambda _: None)
        shots: list[Shot] = []
        looks = self._looks()
        for number, (name, request) in enumerate(
            zip(names(plan.requests), plan.requests, strict=True), 1
        ):
            decision = (decisions or {}).get(name, NONE)
            now = Progress(None, number, len(plan.requests), request)
            kept, found = self._line(name, now, decision, store, looks, tell, on_step)
            store.save(kept.key, kept.shot, kept.reading)
            shot = self.finished(decision.applied(kept.shot))
            shots.append(shot)
            if shot.include:
                looks.append(look(shot.image, kept.reading, shot.hash))
            state: State = "accepted" if shot.accepted else "failed"
            tries = shot.provenance.tries
            tell(replace(now, shot=shot, key=kept.key, attempt=tries, state=state, found=found))
        return shots

    def _line(
        self,
        name: str,
        now: Progress,
        decision: Decision,
        store: ShotStore,
        looks: list[Look],
        tell: Tell,
        on_step: OnStep | None,
    ) -> tuple[Try, bool]:
        """The try to keep of one line, and whether nothing had to be sampled for it.

        Tries until every gate passes, each with a new seed and what the earlier ones' causes ask
        for. The best is kept, and left out of the dataset when it failed a gate. What was pinned
        is kept whatever the gates have come to say.
        """
        request, rules = now.request, self.rules
        if decision.state == PIN and decision.hash and (key := store.find(decision.hash)):
            pinned = self._measured(key, replace(now, attempt=0), looks, store)
            if pinned is not None:
                return pinned, True
        camera = self.camera_for(request)
        best: Try | None = None
        failures: list[list[str]] = []
        found = True
        seed = decision.seed(request_seed(self.seed, name))
        for attempt in range(1, rules.tries + 1):
            recipe = camera.recipe(
                request, (seed + attempt - 1) % 2**63, remedy(failures, rules), rules
            )
            now = replace(now, key=camera.key(recipe), attempt=attempt)
            this = self._measured(now.key, now, looks, store)
            sampled = this is None
            if this is None:
                found = False
                tell(now)
                shot = self._shot(camera, recipe, now, on_step)
                store.save_try(now.key, shot)
                this = self._judged(now.key, shot, None, now, looks)
                store.save_try(now.key, this.shot, this.reading)
            best = this if best is None or better(this.shot, best.shot) else best
            if this.shot.accepted:
                break
            failures.append(failed(this.shot.scores))
            if sampled and attempt < rules.tries:
                tell(replace(now, shot=this.shot, state="retried"))
        assert best is not None
        provenance = replace(best.shot.provenance, tries=attempt)
        shot = replace(best.shot, provenance=provenance, include=best.shot.accepted)
        return replace(best, shot=shot), found

    def finished(self, shot: Shot) -> Shot:
        """What leaves the shoot for ``shot``, which was decided on."""
        return shot

    def camera_for(self, request: ShotRequest) -> Camera:
        """The camera that takes ``request``."""
        return self.camera

    def scores(
        self,
        request: ShotRequest,
        image: torch.Tensor,
        reading: Reading,
        this: Look,
        looks: Sequence[Look],
    ) -> tuple[Score, ...]:
        """What every gate of this kind of shoot says of ``image`` (H, W, 3)."""
        return self.gates.judge(reading, request.tags, this, looks)

    def _shot(self, camera: Camera, recipe: Recipe, now: Progress, on_step: OnStep | None) -> Shot:
        return Shot(
            image=camera.picture(recipe, on_step),
            tags=now.request.tags,
            provenance=Provenance(
                source="generated",
                model=camera.family,
                prompt=recipe.prompt,
                negative=recipe.negative,
                seed=recipe.seed,
                attempt=now.attempt,
                parent=self.character.source.hash,
                instruction=now.request.instruction,
            ),
        )

    def _measured(self, key: str, now: Progress, looks: list[Look], store: ShotStore) -> Try | None:
        """The try on disk under ``key``, held to the gates of today; None when there is none."""
        stored = store.load_try(key)
        if stored is None:
            return None
        shot, known = stored
        this = self._judged(key, shot, known, now, looks)
        if this.reading != known:
            store.save_try(key, this.shot, this.reading)
        return this

    def _judged(
        self, key: str, shot: Shot, known: Reading | None, now: Progress, looks: list[Look]
    ) -> Try:
        reading = self.gates.read(shot.image, known)
        this = look(shot.image, reading, shot.hash)
        scores = self.scores(now.request, shot.image, reading, this, looks)
        if shows_detail(now.request.instruction):
            scores = tuple(map(_of_detail, scores))
        provenance = shot.provenance
        if now.attempt:
            provenance = replace(provenance, attempt=now.attempt, tries=now.attempt)
        return Try(
            replace(shot, tags=now.request.tags, scores=scores, provenance=provenance),
            key,
            reading,
        )

    def _looks(self) -> list[Look]:
        """What no shot may repeat: the original, and the shots that the character has."""
        character = self.character
        embedding = self.gates.source_embedding
        known = Reading(embedding=() if embedding is None else tuple(embedding.tolist()))
        looks = [look(character.source.image, known, character.source.hash)]
        return looks + [
            look(shot.image, Reading(), shot.hash) for shot in character.shots if shot.include
        ]


def _of_detail(score: Score) -> Score:
    """``score`` of a picture that shows a tattoo or the like, on which no face can be judged."""
    if score.gate in (SHARPNESS_GATE, DUPLICATE_GATE):
        return score
    return Score(score.gate, score.value, None, None, "a detail is shown, not the whole character")
