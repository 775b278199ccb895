"""Makes the shots of a plan: from the original, measured, retried with a cause, kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from ..character import Character, Provenance, Shot, picture_hash
from ..sampling import (
    Conditioning,
    CustomSampling,
    Sampling,
    encode_prompt,
    model_fingerprint,
    sample,
)
from .accept import VIEW_GATE, Gates, better, failed
from .conditioning import ReferenceMode, reference_for
from .decisions import NONE, Decision, names
from .dialects import AUTO
from .plan import ShotPlan, ShotRequest
from .store import ShotStore, shot_key


@dataclass(frozen=True)
class Studio:
    """The models and settings that shots are made with.

    strengthen_likeness: the negative does not see the reference, so that classifier-free guidance
    moves towards the reference as well as towards the words. references: further pictures
    (H, W, 3) for the model to see. style: the prompt dialect. custom: a sampler or sigmas of the
    user's own.
    """

    model: Any
    clip: Any
    vae: Any
    sampling: Sampling
    mode: ReferenceMode
    negative: str = ""
    denoise: float = 0.75
    strengthen_likeness: bool = False
    references: tuple[torch.Tensor, ...] = ()
    style: str = AUTO
    custom: CustomSampling | None = None


State = Literal["sampling", "retried", "accepted", "failed"]


@dataclass(frozen=True)
class Progress:
    """What just happened to one line of the plan.

    shot: the picture of the try that ended, None while the state is "sampling". ``request`` is
    number ``number`` of ``total``, ``key`` its name on disk, ``attempt`` the try, from 1.
    A try begins with "sampling" and ends with "retried" when another one follows; the line ends
    with "accepted" or "failed" and the shot that is kept. found: it was on disk already.
    """

    shot: Shot | None
    number: int
    total: int
    request: ShotRequest
    key: str
    attempt: int = 1
    state: State = "sampling"
    found: bool = False

    @property
    def ended(self) -> bool:
        """Whether the line is done."""
        return self.state in ("accepted", "failed")


class Shoot:
    """A shoot of one character: every shot starts from the original, never from another shot."""

    def __init__(
        self, character: Character, studio: Studio, gates: Gates, seed: int, tries: int = 3
    ) -> None:
        self.character = character
        self.studio = studio
        self.gates = gates
        self.seed = seed
        self.tries = tries
        sampling = studio.sampling
        self.reference = reference_for(
            studio.mode,
            studio.model,
            studio.vae,
            character,
            sampling.width,
            sampling.height,
            studio.denoise,
            studio.references,
            studio.style,
        )
        self.reference.check(studio.clip)
        self._negatives: dict[str, Conditioning] = {}
        self.fingerprint = model_fingerprint(studio.model)

    def run(
        self,
        plan: ShotPlan,
        store: ShotStore,
        on_shot: Callable[[Progress], None] | None = None,
        on_step: Callable[[int, torch.Tensor], None] | None = None,
        decisions: Mapping[str, Decision] | None = None,
    ) -> list[Shot]:
        """One shot for each request of ``plan``, in order; those in ``store`` are not remade.

        ``on_shot`` hears of each try's beginning and end, ``on_step`` of each step within it.
        ``decisions`` are a person's, by the names that `decisions.names` gives the requests.
        """
        tell = on_shot or (lambda _: None)
        shots = []
        for number, (name, request) in enumerate(
            zip(names(plan.requests), plan.requests, strict=True), 1
        ):
            decision = (decisions or {}).get(name, NONE)
            seed = decision.seed(self.seed + 1000 * number)
            key = self._key(request, seed)
            now = Progress(None, number, len(plan.requests), request, key)
            shot = store.load(key)
            found = shot is not None
            if shot is None:
                shot = self._best_try(request, seed, now, tell, on_step)
                store.save(key, shot)
            shot = decision.applied(shot)
            shots.append(shot)
            state: State = "accepted" if shot.accepted else "failed"
            tell(replace(now, shot=shot, attempt=shot.provenance.tries, state=state, found=found))
        return shots

    def _best_try(
        self,
        request: ShotRequest,
        seed: int,
        now: Progress,
        tell: Callable[[Progress], None],
        on_step: Callable[[int, torch.Tensor], None] | None,
    ) -> Shot:
        """Tries until every gate passes; a new seed each time, stronger words from the third wrong
        view on. The best is kept, and left out of the dataset when it failed a gate."""
        best: Shot | None = None
        wrong_views = 0
        for attempt in range(1, self.tries + 1):
            stronger = ("view",) if wrong_views >= 2 else ()
            prompt = self.reference.prompt(request.tags, request.instruction, stronger)
            tell(replace(now, attempt=attempt))
            shot = self._shoot(request, prompt, seed, attempt, on_step)
            wrong_views += VIEW_GATE in failed(shot.scores)
            best = shot if better(shot, best) else best
            if shot.accepted:
                break
            if attempt < self.tries:
                tell(replace(now, shot=shot, attempt=attempt, state="retried"))
        assert best is not None
        provenance = replace(best.provenance, tries=attempt)
        return replace(best, provenance=provenance, include=best.accepted)

    def _shoot(
        self,
        request: ShotRequest,
        prompt: str,
        seed: int,
        attempt: int,
        on_step: Callable[[int, torch.Tensor], None] | None,
    ) -> Shot:
        studio, seed = self.studio, seed + attempt - 1
        negative = self.reference.dialect.negative(request.tags, studio.negative)
        image = sample(
            studio.model,
            studio.vae,
            self._conditioning(prompt),
            self._negative(negative),
            studio.sampling,
            seed,
            latent=self.reference.start,
            denoise=self.reference.denoise,
            on_step=on_step,
            custom=studio.custom,
        )[0]
        if request.instruction:
            # An edited original shows what the original shows, without the border it was given.
            image = self.reference.without_border(image)
        shot = Shot(
            image=image,
            tags=request.tags,
            provenance=Provenance(
                source="generated",
                model=type(studio.model.model).__name__,
                prompt=prompt,
                negative=negative,
                seed=seed,
                attempt=attempt,
                parent=self.character.source.hash,
                instruction=request.instruction,
            ),
        )
        return replace(shot, scores=self.gates.measure(shot.image, request.tags))

    def _conditioning(self, text: str) -> Conditioning:
        return self.reference.conditioning(self.studio.clip, text, self.studio.sampling.guidance)

    def _negative(self, text: str) -> Conditioning:
        if text not in self._negatives:
            guidance = self.studio.sampling.guidance
            self._negatives[text] = (
                encode_prompt(self.studio.clip, text, guidance)
                if self.studio.strengthen_likeness
                else self._conditioning(text)
            )
        return self._negatives[text]

    def _key(self, request: ShotRequest, seed: int) -> str:
        studio, gates = self.studio, self.gates
        return shot_key(
            self.character.source.hash,
            request,
            studio.sampling,
            studio.mode.value,
            studio.negative,
            studio.denoise,
            studio.strengthen_likeness,
            self.fingerprint,
            seed,
            self.tries,
            gates.thresholds,
            gates.face_model is None,
            gates.clip_vision is None,
            self.reference.dialect.digest,
            [picture_hash(picture) for picture in studio.references],
            studio.custom,
        )
