"""Two characters in one picture, each measured in a face of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import permutations

import torch

from ...core.character import Character, Score, Shot
from ...core.errors import FacetError
from ...families.modes import TAKES_SEVERAL, ReferenceMode, called
from ...studio.studio import Studio
from ...vision.embedding import embed
from ...vision.faces import Face, find_face, find_heads
from ..retouch.retouch import surroundings
from .camera import Line, ShotCamera
from .gates import (
    FRAMING_GATE,
    IDENTITY_GATE,
    NO_FACE_MODEL,
    PERSONS_GATE,
    VIEW_GATE,
    Gates,
    ShotLook,
)
from .make import Scores, Shoot, ShotKind
from .plan import ShotRequest
from .reading import SECOND_FACE, Reading
from .remedies import RetryRules

TWO_PEOPLE_GATE = "two_people"
OF_TWO = "two characters: each has its own"
HEAD = 0.6
"""How far around a face its head goes, as a share of the face."""


def joined(first: Character, second: Character) -> Character:
    """Both characters as one, whose dataset is both datasets; called by the first one's trigger.

    Raises FacetError with a sentence when they are the same, or a picture has no caption: nothing
    else would say which of the two it shows.
    """
    if first.trigger.lower() == second.trigger.lower():
        raise FacetError(
            f"Both characters have the trigger {first.trigger!r}; give each one a word of its own."
        )
    if first.source.hash == second.source.hash:
        raise FacetError("Both characters have the same original; connect two different ones.")
    for character in (first, second):
        bare = sum(not shot.caption.strip() for shot in character.dataset)
        if bare:
            raise FacetError(
                f"{bare} of {len(character.dataset)} pictures of {character.name} have no caption; "
                "put a Facet Caption Writer behind each character."
            )
    name = f"{first.name} and {second.name}"
    calls = (second.phrase, *second.companions)
    both = replace(first, name=name, companions=(*first.companions, *calls))
    return both.adding((second.source, *second.shots))


def together_shoot(
    character: Character,
    studio: Studio,
    gates: Gates,
    seed: int,
    rules: RetryRules | None = None,
    *,
    two: tuple[Character, Character],
) -> Shoot:
    """A shoot of ``two`` characters; ``character`` is the joined one.

    The model sees both originals, or knows both by their triggers.
    Raises FacetError with a sentence when it can be shown one character only.
    """
    if studio.mode not in {*TAKES_SEVERAL, ReferenceMode.TRAINED_LORA}:
        raise FacetError(
            f"With reference_mode {studio.mode.value!r} the model can be shown one character "
            "only; use an edit model with 'reference_latents' or 'qwen_edit', or a LoRA of "
            "both with 'trained_lora'."
        )
    first, second = two
    if studio.mode in TAKES_SEVERAL:
        studio = replace(studio, references=(second.source.image, *studio.references))
    camera = ShotCamera(first, studio)
    words = (called(studio.mode, first), called(studio.mode, second))
    calls = " and ".join(one.phrase for one in two)

    def line(request: ShotRequest) -> Line:
        def prompt(stronger: Collection[str]) -> str:
            dialect, seen = camera.reference.dialect, bool(camera.reference.latents)
            return dialect.together(request.tags, words, seen, request.instruction, stronger)

        # Neither original shows what the image shows; it is kept whole.
        return Line(request, camera, prompt)

    def captioned(shot: Shot) -> Shot:
        return replace(shot, caption=", ".join([calls, *shot.tags.phrases()]))

    kind = ShotKind(line, pair_scores(PairGate(two, gates), gates), captioned)
    return Shoot(character, gates, seed, kind, rules or RetryRules())


def pair_scores(pair: PairGate, gates: Gates) -> Scores:
    """The gates of every shot, but for those that one person passes."""

    def scores(
        request: ShotRequest,
        image: torch.Tensor,
        reading: Reading,
        this: ShotLook,
        looks: Sequence[ShotLook],
    ) -> tuple[Score, ...]:
        off = gates.thresholds.off
        two = {score.gate: score for score in pair.scores(image)}
        found = []
        for score in gates.judge(reading, request.tags, this, looks):
            if score.gate in off:
                found.append(score)
            elif score.gate in (VIEW_GATE, FRAMING_GATE):
                found.append(Score(score.gate, None, None, None, OF_TWO))
            elif score.gate == PERSONS_GATE:
                found.append(two[TWO_PEOPLE_GATE])
            else:
                found.append(two.get(score.gate, score))
        return tuple(found)

    return scores


class PairGate:
    """Whether a picture shows two characters: two people, and each of them in one of the faces.

    Heads are compared with heads, since a whole picture of two people is like neither original.
    """

    def __init__(self, two: tuple[Character, Character], gates: Gates) -> None:
        self.names = tuple(one.name for one in two)
        self.face_model = gates.meter.face_model
        self.clip_vision = gates.meter.clip_vision
        self.limit = gates.thresholds.identity
        self._originals: torch.Tensor | None = None
        if self.face_model is not None and self.clip_vision is not None:
            heads = [
                self._head(one.source.image, find_face(self.face_model, one.source.image))
                for one in two
            ]
            self._originals = torch.cat(heads)

    def scores(self, image: torch.Tensor) -> tuple[Score, Score]:
        """How many people are in ``image`` (H, W, 3), and how like the characters they are."""
        if self.face_model is None:
            skipped = Score(TWO_PEOPLE_GATE, None, None, None, NO_FACE_MODEL)
            return skipped, Score(IDENTITY_GATE, None, None, None, NO_FACE_MODEL)
        found = find_heads(self.face_model, image)
        faces = [face for face in found if face.height >= SECOND_FACE * found[0].height]
        count, right = float(len(faces)), len(faces) == 2
        words = {0: "nobody", 1: "one person"}.get(len(faces), f"{len(faces)} people")
        note = "" if right else f"{words} instead of two"
        return Score(TWO_PEOPLE_GATE, count, 2.0, right, note), self._identity(image, faces)

    def _identity(self, image: torch.Tensor, faces: Sequence[Face]) -> Score:
        """The less alike of the two, where each is looked for in a face of its own."""
        if self._originals is None:
            return Score(IDENTITY_GATE, None, None, None, "skipped: no CLIP_VISION is connected")
        if len(faces) < 2:
            return Score(IDENTITY_GATE, None, self.limit(0), False, "not both of them are seen")
        heads = torch.cat([self._head(image, face) for face in faces])
        cosines = (heads @ self._originals.T).tolist()
        chosen = max(
            permutations(range(len(faces)), 2),
            key=lambda pair: cosines[pair[0]][0] + cosines[pair[1]][1],
        )
        alike = [cosines[face][number] for number, face in enumerate(chosen)]
        limits = [self.limit(faces[face].yaw) for face in chosen]
        worse = min((0, 1), key=lambda number: alike[number] - limits[number])
        passed = alike[worse] >= limits[worse]
        note = "" if passed else f"only {alike[worse]:.2f} like {self.names[worse]}"
        return Score(IDENTITY_GATE, alike[worse], limits[worse], passed, note)

    def _head(self, image: torch.Tensor, face: Face | None) -> torch.Tensor:
        """The embedding (1, D) of the head in ``image``, of all of it where no face is found."""
        if face is not None:
            left, top, right, bottom = surroundings(face, image, HEAD)
            image = image[top:bottom, left:right]
        return embed(self.clip_vision, image[None])
