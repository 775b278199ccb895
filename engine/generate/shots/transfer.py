"""Shots in a pose taken from elsewhere, in clothes taken from elsewhere, or both."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import torch

from ...core.character import Character, Score, Tags
from ...core.errors import FacetError
from ...families.modes import MOST_PICTURES, TAKES_SEVERAL
from ...studio.sizes import fit, fitting
from ...studio.studio import Studio
from ...vision.embedding import embed
from ...vision.pose import Pose, clothed_box, pose_error, pose_from_record
from ...vision.pose_map import draw_pose, placed
from .camera import Control, Line, ShotCamera
from .gates import Gates, ShotLook
from .make import Shoot, ShotKind
from .plan import ShotPlan, ShotRequest
from .reading import Reading
from .remedies import RetryRules

POSE_GATE = "pose"
GARMENT_GATE = "garment"
BLACK = 0.1
"""A map whose brightest value is below this shows nobody."""
SMALLEST = 8
"""Sides in pixels below which nothing is to be seen of a garment."""
INSIDE = 0.5
NOTHING = 0.995
MARGIN = 0.05


@dataclass(frozen=True, eq=False)
class Guide:
    """A pose to take: keypoints, a picture (H, W, 3) in 0..1, or both; is_map: an OpenPose map."""

    pose: Pose | None = None
    picture: torch.Tensor | None = None
    is_map: bool = False

    def __post_init__(self) -> None:
        if self.is_map and self.picture is not None and float(self.picture.max()) < BLACK:
            raise FacetError("The OpenPose map is black and shows no person; give one with a pose.")

    @property
    def kind(self) -> str:
        """What an edit model sees, as the dialects call it."""
        return "pose" if self.picture is not None and not self.is_map else "pose_map"

    def map(self, width: int, height: int) -> torch.Tensor:
        """The OpenPose map (height, width, 3), the pose's whole picture in its middle."""
        if self.picture is not None and self.is_map:
            return _on_black(self.picture, width, height)
        assert self.pose is not None
        laid = fitting((self.pose.width, self.pose.height), (width, height))
        return draw_pose(placed(self.pose, laid.box, width, height))

    def shown(self, width: int, height: int) -> torch.Tensor:
        """The picture that an edit model takes the pose from."""
        return self.map(width, height) if self.picture is None else self.picture


@dataclass(frozen=True, eq=False)
class TransferRequest(ShotRequest):
    """One shot: in the pose of ``guide``, which is number ``number``, and what its line says."""

    guide: Guide | None = None
    number: int = 0

    @property
    def label(self) -> str:
        """The line in words, with the pose's number."""
        parts = [super().label] if super().label else []
        return ", ".join([*parts, f"pose {self.number}"] if self.guide else parts) or "outfit"


def transfer_plan(
    guides: Sequence[Guide], lines: Sequence[ShotRequest], garment: torch.Tensor | None
) -> ShotPlan:
    """One shot for each pose, or without poses for each line; a single line holds for every pose.

    Raises FacetError when there is neither pose nor garment, or lines and poses do not fit.
    """
    if not guides and garment is None:
        raise FacetError(
            "There is neither a pose nor a garment; connect pose_image, pose_keypoint or garment."
        )
    wishes = list(lines) or [ShotRequest(Tags())]
    if not guides:
        return ShotPlan(tuple(TransferRequest(one.tags, one.instruction) for one in wishes))
    if len(wishes) not in (1, len(guides)):
        raise FacetError(
            f"There are {len(guides)} poses and {len(wishes)} lines; write one line for all, or "
            "one for each pose."
        )
    wishes = wishes * len(guides) if len(wishes) == 1 else wishes
    return ShotPlan(
        tuple(
            TransferRequest(wish.tags, wish.instruction, guide, number)
            for number, (guide, wish) in enumerate(zip(guides, wishes, strict=True), 1)
        )
    )


def _on_black(picture: torch.Tensor, width: int, height: int) -> torch.Tensor:
    laid = fitting((picture.shape[1], picture.shape[0]), (width, height))
    left, top, wide, tall = laid.box
    canvas = torch.zeros(height, width, 3)
    canvas[top : top + tall, left : left + wide] = fit(picture, wide, tall)
    return canvas


class PoseMethod(str, Enum):
    """How a model is shown a pose. New ones come last: workflows store these."""

    AUTO = "auto"
    CONTROL_NET = "control_net"
    REFERENCE = "reference"
    BOTH = "both"


@dataclass(frozen=True, eq=False)
class Transfer:
    """What is taken from elsewhere, and how.

    garment: (h, w, 3) on white. strength, start, end: as in ``Control``. max_pose_error: in torso
    lengths. min_garment: cosine.
    """

    garment: torch.Tensor | None = None
    control_net: Any = None
    strength: float = 1.0
    start: float = 0.0
    end: float = 1.0
    through: PoseMethod = PoseMethod.AUTO
    max_pose_error: float = 0.25
    min_garment: float = 0.5


def transfer_shoot(
    character: Character,
    studio: Studio,
    gates: Gates,
    seed: int,
    rules: RetryRules | None = None,
    *,
    transfer: Transfer,
    plan: ShotPlan,
) -> Shoot:
    """A shoot whose requests are ``TransferRequest``s.

    Raises FacetError with a sentence when the model can be shown neither pose nor garment, or would
    be shown too many images.
    """
    line = TransferLines(character, studio, transfer, plan)
    kind = ShotKind(line, TransferScores(gates, transfer))
    return Shoot(character, gates, seed, kind, rules or RetryRules())


class TransferLines:
    """Asks for each request with its pose and the garment, of a camera of its own."""

    def __init__(
        self, character: Character, studio: Studio, transfer: Transfer, plan: ShotPlan
    ) -> None:
        self.character, self.studio, self.transfer = character, studio, transfer
        guides = [guide for one in plan.requests if (guide := guide_of(one))]
        self.controls, self.shows = _ways(transfer, studio, bool(guides))
        if self.controls:
            _need_maps(guides)
        count = self.shows + (transfer.garment is not None) + len(studio.references)
        if count >= MOST_PICTURES:
            raise FacetError(
                f"The model would be shown {count} images besides the original; give at most "
                f"{MOST_PICTURES - 1} of pose, garment and references."
            )

    def __call__(self, request: ShotRequest) -> Line:
        """``request`` as the model is asked for it: told what to take from which image as well."""
        control, pictures, kinds = self._shown(guide_of(request))
        studio = replace(self.studio, references=(*pictures, *self.studio.references))
        camera = ShotCamera(self.character, studio, control)
        dialect = camera.reference.dialect
        orders = [
            dialect.transfer(kind, number, self.character.class_word)
            for number, kind in enumerate(kinds, 2)
        ]
        told = " and ".join(order for order in (*orders, request.instruction) if order)

        def prompt(stronger: Collection[str]) -> str:
            return camera.reference.prompt(request.tags, told, stronger)

        # Posed anew, the image does not show what the original shows; it is kept whole.
        return Line(request, camera, prompt)

    def _shown(self, guide: Guide | None) -> tuple[Control | None, list[torch.Tensor], list[str]]:
        """The ControlNet with its map, further references, and what each of these is for."""
        transfer, sampling = self.transfer, self.studio.sampling
        size = (sampling.width, sampling.height)
        control, pictures, kinds = None, [], []
        if guide is not None and self.controls:
            control = Control(
                transfer.control_net,
                guide.map(*size),
                transfer.strength,
                transfer.start,
                transfer.end,
            )
        if guide is not None and self.shows:
            pictures.append(guide.shown(*size))
            kinds.append(guide.kind)
        if transfer.garment is not None:
            pictures.append(transfer.garment)
            kinds.append("outfit")
        return control, pictures, kinds


class TransferScores:
    """Every shot's scores, and whether the pose and the garment are those that were asked for."""

    def __init__(self, gates: Gates, transfer: Transfer) -> None:
        self.gates, self.transfer = gates, transfer
        self.garment_gate = GarmentGate(
            transfer.garment, gates.meter.clip_vision, transfer.min_garment
        )

    def __call__(
        self,
        request: ShotRequest,
        image: torch.Tensor,
        reading: Reading,
        this: ShotLook,
        looks: Sequence[ShotLook],
    ) -> tuple[Score, ...]:
        guide = guide_of(request)
        scores = list(self.gates.judge(reading, request.tags, this, looks))
        if guide is not None:
            size = (image.shape[1], image.shape[0])
            scores.append(pose_score(reading, size, guide.pose, self.transfer.max_pose_error))
        if self.transfer.garment is not None:
            scores.append(self.garment_gate.score(image, reading))
        return tuple(scores)


def guide_of(request: ShotRequest) -> Guide | None:
    """The pose that ``request`` asks for, or None."""
    return request.guide if isinstance(request, TransferRequest) else None


def pose_score(reading: Reading, size: tuple[int, int], asked: Pose | None, limit: float) -> Score:
    """Mean distance of the joints from those of ``asked`` in torso lengths, against ``limit``.

    size: width and height in pixels of the picture that was read.
    """
    if not reading.pose_model:
        return Score(POSE_GATE, None, None, None, "skipped: no pose_model is connected")
    if asked is None:
        return Score(POSE_GATE, None, None, None, "skipped: the pose has no keypoints to compare")
    found = pose_from_record(reading.pose, *size)
    if found is None:
        return Score(POSE_GATE, None, limit, False, "no person's pose was found")
    error = pose_error(asked, found)
    if error is None:
        return Score(POSE_GATE, None, None, None, "skipped: too little of the body to measure by")
    note = "" if error <= limit else f"the pose is off by {error:.2f} torso lengths"
    return Score(POSE_GATE, error, limit, error <= limit, note)


class GarmentGate:
    """How alike a shot's clothes are to a garment.

    garment: (h, w, 3) cut out, on white, or None. clip_vision: a CLIP_VISION, or None.
    limit: the least cosine.
    """

    def __init__(self, garment: torch.Tensor | None, clip_vision: Any, limit: float) -> None:
        self.clip_vision = clip_vision
        self.limit = limit
        measured = garment is not None and clip_vision is not None
        self.embedding = embed(clip_vision, [garment])[0] if measured else None

    def score(self, image: torch.Tensor, reading: Reading) -> Score:
        """The cosine of the clothed part of ``image`` (H, W, 3) with the garment.

        The part is that around the joints below the head, where the pose was measured, and else
        the whole picture.
        """
        if self.embedding is None:
            return Score(GARMENT_GATE, None, None, None, "skipped: no CLIP_VISION is connected")
        height, width = image.shape[:2]
        pose = pose_from_record(reading.pose, width, height)
        box = None if pose is None else clothed_box(pose)
        left, top, right, bottom = box or (0, 0, width, height)
        cosine = float(embed(self.clip_vision, [image[top:bottom, left:right]])[0] @ self.embedding)
        passed = cosine >= self.limit
        notes = [] if passed else [f"only {cosine:.2f} like the garment"]
        notes += [] if box else ["by the whole picture: no pose was measured"]
        return Score(GARMENT_GATE, cosine, self.limit, passed, "; ".join(notes))


def cut_out(image: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The garment (h, w, 3) of ``image`` (H, W, 3), on white, with a narrow margin of white.

    mask: (H, W) in 0..1, 1 on the garment; without it the picture is taken as it is. Raises
    FacetError when the mask has another size, or hardly anything is in it.
    """
    if mask is None:
        return _large_enough(image)
    if mask.shape != image.shape[:2]:
        raise FacetError(
            f"The garment_mask is {mask.shape[1]} by {mask.shape[0]} pixels and the garment "
            f"{image.shape[1]} by {image.shape[0]}; they need the same size."
        )
    cover = mask.to(image).clamp(0, 1)
    rows, columns = ((cover >= INSIDE).any(side).nonzero().flatten() for side in (1, 0))
    if not len(rows):
        raise FacetError(
            "The garment_mask is empty, so that there is no garment; mask the garment with white."
        )
    on_white = image * cover[..., None] + (1 - cover[..., None])
    cut = on_white[int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    _large_enough(cut)
    border = max(1, round(MARGIN * max(cut.shape[:2])))
    framed = torch.ones(cut.shape[0] + 2 * border, cut.shape[1] + 2 * border, 3)
    framed[border:-border, border:-border] = cut
    return framed


def _large_enough(picture: torch.Tensor) -> torch.Tensor:
    if min(picture.shape[:2]) < SMALLEST:
        raise FacetError(
            f"The garment is {picture.shape[1]} by {picture.shape[0]} pixels; give one of "
            f"{SMALLEST} or more, better of several hundred."
        )
    if bool((picture > NOTHING).all()):
        raise FacetError("The garment is an empty white picture; give one that shows clothes.")
    return picture


def _ways(transfer: Transfer, studio: Studio, posed: bool) -> tuple[bool, bool]:
    """Whether the pose goes through the ControlNet, and whether the model is shown it.

    Raises FacetError with a sentence when the model takes neither, or not the garment.
    """
    takes = studio.mode in TAKES_SEVERAL
    if transfer.garment is not None and not takes:
        raise FacetError(
            f"With reference_mode {studio.mode.value!r} the model can be shown no garment; use an "
            "edit model with 'reference_latents' or 'qwen_edit', or describe the outfit in lines."
        )
    if not posed:
        return False, False
    through, net = transfer.through, transfer.control_net is not None
    if through is PoseMethod.AUTO:
        through = PoseMethod.CONTROL_NET if net else PoseMethod.REFERENCE
    controls = through in (PoseMethod.CONTROL_NET, PoseMethod.BOTH)
    shows = through in (PoseMethod.REFERENCE, PoseMethod.BOTH)
    if controls and not net:
        raise FacetError(
            f"pose_through is {through.value!r} and no control_net is connected; connect an "
            "OpenPose CONTROL_NET, or set it to 'reference'."
        )
    if shows and not takes:
        raise FacetError(
            f"With reference_mode {studio.mode.value!r} the model can be shown no pose; connect an "
            "OpenPose CONTROL_NET, or use an edit model with 'reference_latents' or 'qwen_edit'."
        )
    return controls, shows


def _need_maps(guides: Sequence[Guide]) -> None:
    for number, guide in enumerate(guides, 1):
        if guide.pose is None and not guide.is_map:
            raise FacetError(
                f"Pose {number} is a plain picture, and the ControlNet needs an OpenPose map; "
                "connect pose_model or pose_keypoint, or set pose_image_is to 'openpose_map'."
            )
