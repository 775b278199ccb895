"""What the expression editor does to one face: warp it, paint what that cannot show, and judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ...core.character import Character, Provenance, Score, Tags
from ...core.errors import FacetError
from ...core.vocabulary import VOCABULARY
from ...families.modes import ReferenceMode, mode_of
from ...studio.judge import Judge
from ...studio.studio import Studio
from ...vision.embedding import embed, likeness_gain
from ...vision.faces import Face
from ...vision.framing import view_of
from ..retouch.repaint import repainted, shown_as
from ..retouch.retouch import Retoucher
from ..shots.make import plain_shoot
from ..shots.plan import ShotPlan, ShotRequest
from ..shots.remedies import gates_of
from ..shots.store import ShotStore
from .edit import edit, parts_to_paint
from .hand_placed import hand_placed
from .measured import faces_in
from .presets import ExpressionRequest, words_for
from .rig import MOST_TURN

IDENTITY = "identity"


@dataclass(frozen=True)
class ExpressionSettings:
    """How faces are chosen, bent and painted; see the node's widgets of these names."""

    face_index: int = 0
    points: str = ""
    neutralise: bool = False
    calibrate: bool = False
    denoise: float = 0.5
    face_size: int = 768
    max_identity_loss: float = 0.1
    show_original: bool = False


@dataclass(frozen=True, eq=False)
class EditedFace:
    """A face with another expression.

    image: (H, W, 3). mask: (H, W), 0 where the picture is what it was. provenance: without a
    parent. notes: what a person should know of it. view: the one that it was made anew in, '' for
    the picture that it was. include: whether it passed its gates.
    """

    image: torch.Tensor
    mask: torch.Tensor
    provenance: Provenance
    scores: tuple[Score, ...] = ()
    notes: tuple[str, ...] = ()
    view: str = ""
    include: bool = True


class ExpressionEditor:
    """Gives the faces of one character other expressions.

    character: whose original tells who it is. folder: where new shots are kept. The
    models are ComfyUI's, and each may be None; so may the studio, without which nothing is painted
    and no head turns far.
    """

    def __init__(
        self,
        character: Character,
        settings: ExpressionSettings,
        folder: Path,
        judge: Judge,
        studio: Studio | None = None,
        seed: int = 0,
    ) -> None:
        if settings.calibrate and judge.face_model is None:
            raise FacetError(
                "Calibrating measures the face; connect a judge with a face detection model, or "
                "turn calibrate off."
            )
        self.character, self.settings, self.folder = character, settings, folder
        self.judge, self.face_model, self.clip_vision = judge, judge.face_model, judge.clip_vision
        self.studio, self.seed = studio, seed
        self.retoucher: Retoucher | None = None
        if studio is not None and settings.denoise:
            retouching = studio.for_retouching(settings.show_original)
            self.retoucher = Retoucher(character, retouching, seed, settings.face_size**2)

    def faces(self, image: torch.Tensor) -> list[Face]:
        """The faces in ``image`` (H, W, 3), largest first, or the one placed by hand; [] for none.

        Raises FacetError when the points make no face.
        """
        found = faces_in(self.face_model, image)
        if found:
            return found
        placed = hand_placed(self.settings.points, image.shape[1], image.shape[0])
        return [] if placed is None else [placed]

    def chosen(self, faces: list[Face]) -> Face | None:
        """The face with the index that is asked for."""
        index = self.settings.face_index
        return faces[index] if index < len(faces) else None

    def done(
        self, image: torch.Tensor, face: Face, request: ExpressionRequest, tags: Tags
    ) -> EditedFace:
        """``image`` (H, W, 3) in which ``face`` has the expression of ``request``.

        A turn that no warp shows is a new picture, where there is a model that knows who it is.
        """
        turn, nod = (request.sliders.get(name, 0.0) for name in ("head_yaw", "head_pitch"))
        if max(abs(turn), abs(nod)) > MOST_TURN and self._shows_the_original:
            view = view_after(face.yaw, turn, nod)
            if view is not None:
                return self._turned(view, request, tags)
        edited = edit(
            image,
            face,
            request.sliders,
            face_model=self.face_model if self.settings.calibrate else None,
            neutralise=self.settings.neutralise or request.neutral,
            paints=self.paints,
        )
        provenance = Provenance("edited", instruction=request.name)
        done = EditedFace(edited.image, edited.mask, provenance, notes=edited.notes)
        if self.retoucher is not None and edited.landmarks is not None:
            asked = replace(
                tags,
                expression=request.phrase,
                details=(*tags.details, *words_for(edited.remainder)),
            )
            size = (image.shape[0], image.shape[1])
            where = parts_to_paint(size, face.landmarks, edited.landmarks, face.yaw)
            if bool((where > 0).any()):
                done = self._painted(self.retoucher, done, where, face, asked)
        return replace(done, scores=self._scores(image, done.image))

    @property
    def paints(self) -> bool:
        """Whether a model paints what has moved."""
        return self.retoucher is not None

    @property
    def _shows_the_original(self) -> bool:
        """Whether there is a model that knows whom to show in another view."""
        mode = self.studio and mode_of(self.studio.mode, self.studio.model)
        return mode not in (None, ReferenceMode.IMG2IMG)

    def _turned(self, view: str, request: ExpressionRequest, tags: Tags) -> EditedFace:
        """A shot of the character in ``view`` with the expression of ``request``."""
        assert self.studio is not None
        character = self.character
        gates = gates_of(self.judge, character)
        asked = ShotRequest(replace(tags, view=view, expression=request.phrase, details=()))
        shoot = plain_shoot(character, self.studio.for_shots_of(character), gates, self.seed)
        (shot,) = shoot.run(ShotPlan((asked,)), ShotStore(self.folder))
        words = VOCABULARY["view"][view]
        notes = [f"The head turns too far for a warp; a new image was made, {words}."]
        missed = [f"{score.gate} ({score.note})" for score in shot.scores if score.passed is False]
        if missed:
            notes.append(f"It did not pass {', '.join(missed)}, and is left out of the dataset.")
        return EditedFace(
            shot.image,
            torch.ones(shot.image.shape[:2]),
            replace(shot.provenance, instruction=request.name),
            shot.scores,
            tuple(notes),
            view,
            shot.include,
        )

    def _painted(
        self, retoucher: Retoucher, done: EditedFace, where: torch.Tensor, face: Face, asked: Tags
    ) -> EditedFace:
        """``done`` painted anew where ``where`` says, unless that would be somebody else."""
        settings = self.settings
        painted = repainted(
            retoucher, done.image, where, face, asked, settings.denoise, settings.face_size
        )
        original = self.character.source.image
        gain = likeness_gain(self.clip_vision, original, done.image, painted)
        if gain is not None and -gain > settings.max_identity_loss:
            note = f"Repainting discarded: similarity to the original would drop by {-gain:.2f}."
            return replace(done, notes=(*done.notes, note))
        shown = shown_as(asked, done.image, settings.face_size)
        provenance = replace(
            done.provenance,
            model=type(retoucher.studio.model.model).__name__,
            prompt=retoucher.reference.prompt(shown),
            negative=retoucher.reference.dialect.negative(shown, retoucher.studio.negative),
            seed=retoucher.seed,
        )
        mask = torch.maximum(done.mask, where)
        return replace(done, image=painted, mask=mask, provenance=provenance)

    def _scores(self, before: torch.Tensor, after: torch.Tensor) -> tuple[Score, ...]:
        """How like the unedited picture it still is."""
        if self.clip_vision is None:
            return ()
        first, second = embed(self.clip_vision, [before, after])
        return (Score(IDENTITY, float(first @ second), None, None),)


def view_after(yaw: float, turn: float, nod: float) -> str | None:
    """The view of a head at ``yaw`` that turns by ``turn`` and raises its nose by ``nod`` degrees.

    None where the turn is too small for another view than it is seen in now.
    """
    if abs(nod) > abs(turn):
        return "low" if nod > 0 else "top"
    view = view_of(yaw + turn)
    return None if view == view_of(yaw) else view
