"""Shots in a pose taken from elsewhere, in clothes taken from elsewhere, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import torch

from ...comfyui.sampling import Conditioning, Sampling
from ...core.character import Character, Score
from ...families.modes import MOST_PICTURES, TAKES_SEVERAL
from .accept import Gates
from .camera import Camera, Recipe, Studio
from .control import Control
from .gates import Look
from .make import Shoot
from .plan import ShotPlan, ShotRequest
from .reading import Reading
from .retry import Remedy, RetryRules
from .store import shot_key
from .transfer_gates import GarmentGate, pose_score
from .transfer_plan import Guide, TransferRequest


class Through(str, Enum):
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
    through: Through = Through.AUTO
    max_pose_error: float = 0.25
    min_garment: float = 0.5


class TransferCamera(Camera):
    """A camera whose model sees a pose and a garment besides the original."""

    def __init__(
        self, character: Character, studio: Studio, orders: Sequence[str], control: Control | None
    ) -> None:
        super().__init__(character, studio)
        numbered = zip(orders, range(2, 2 + len(orders)), strict=True)
        self.orders = [
            self.reference.dialect.transfer(kind, number, character.class_word)
            for kind, number in numbered
        ]
        self.control = control

    def recipe(self, request: ShotRequest, seed: int, remedy: Remedy, rules: RetryRules) -> Recipe:
        """How ``request`` is made; the prompt says what to take from which picture as well."""
        orders = [*self.orders, request.instruction]
        told = ShotRequest(request.tags, " and ".join(order for order in orders if order))
        # Posed anew, the picture does not show what the original shows; it is kept whole.
        return replace(super().recipe(told, seed, remedy, rules), edits=False)

    def key(self, recipe: Recipe) -> str:
        """The name of the picture that ``recipe`` makes with this pose and this garment."""
        return shot_key(*self._common, self.control, recipe)

    def guided(
        self, positive: Conditioning, negative: Conditioning
    ) -> tuple[Conditioning, Conditioning]:
        """Both conditionings with the ControlNet in them."""
        if self.control is None:
            return positive, negative
        return self.control.apply(positive, negative, self.studio.vae)


class TransferShoot(Shoot):
    """A shoot whose requests are ``TransferRequest``s."""

    def __init__(
        self,
        character: Character,
        studio: Studio,
        gates: Gates,
        seed: int,
        tries: int = 3,
        rules: RetryRules | None = None,
        *,
        transfer: Transfer,
        plan: ShotPlan,
    ) -> None:
        super().__init__(character, studio, gates, seed, tries, rules)
        self.studio = studio
        self.transfer = transfer
        self.garment_gate = GarmentGate(
            transfer.garment, gates.meter.clip_vision, transfer.min_garment
        )
        guides = [
            one.guide for one in plan.requests if isinstance(one, TransferRequest) and one.guide
        ]
        self.controls, self.shows = _ways(transfer, studio, bool(guides))
        if self.controls:
            _need_maps(guides)
        count = self.shows + (transfer.garment is not None) + len(studio.references)
        if count >= MOST_PICTURES:
            raise ValueError(
                f"The model would be shown {count} pictures besides the original; give at most "
                f"{MOST_PICTURES - 1} of pose, garment and references."
            )
        self._last: tuple[ShotRequest, Camera] | None = None

    def camera_for(self, request: ShotRequest) -> Camera:
        """A camera that sees the request's pose, and the garment."""
        if self._last is None or self._last[0] is not request:
            self._last = (request, self._camera(request))
        return self._last[1]

    def scores(
        self,
        request: ShotRequest,
        image: torch.Tensor,
        reading: Reading,
        this: Look,
        looks: Sequence[Look],
    ) -> tuple[Score, ...]:
        """Every shot's, and whether the pose and the garment are those that were asked for."""
        guide = request.guide if isinstance(request, TransferRequest) else None
        scores = list(super().scores(request, image, reading, this, looks))
        if guide is not None:
            size = (image.shape[1], image.shape[0])
            limit = self.transfer.max_pose_error
            scores.append(pose_score(reading, size, guide.pose, limit))
        if self.transfer.garment is not None:
            scores.append(self.garment_gate.score(image, reading))
        return tuple(scores)

    def _camera(self, request: ShotRequest) -> Camera:
        guide = request.guide if isinstance(request, TransferRequest) else None
        sampling: Sampling = self.studio.sampling
        size = (sampling.width, sampling.height)
        control, pictures, orders = None, [], []
        if guide is not None and self.controls:
            transfer = self.transfer
            control = Control(
                transfer.control_net,
                guide.map(*size),
                transfer.strength,
                transfer.start,
                transfer.end,
            )
        if guide is not None and self.shows:
            pictures.append(guide.shown(*size))
            orders.append(guide.kind)
        if self.transfer.garment is not None:
            pictures.append(self.transfer.garment)
            orders.append("outfit")
        studio = replace(self.studio, references=(*pictures, *self.studio.references))
        return TransferCamera(self.character, studio, orders, control)


def _ways(transfer: Transfer, studio: Studio, posed: bool) -> tuple[bool, bool]:
    """Whether the pose goes through the ControlNet, and whether the model is shown it.

    Raises ValueError with a sentence when the model takes neither, or not the garment.
    """
    takes = studio.mode in TAKES_SEVERAL
    if transfer.garment is not None and not takes:
        raise ValueError(
            f"With reference_mode {studio.mode.value!r} the model can be shown no garment; use an "
            "edit model with 'reference_latents' or 'qwen_edit', or describe the outfit in lines."
        )
    if not posed:
        return False, False
    through, net = transfer.through, transfer.control_net is not None
    if through is Through.AUTO:
        through = Through.CONTROL_NET if net else Through.REFERENCE
    controls = through in (Through.CONTROL_NET, Through.BOTH)
    shows = through in (Through.REFERENCE, Through.BOTH)
    if controls and not net:
        raise ValueError(
            f"pose_through is {through.value!r} and no control_net is connected; connect an "
            "OpenPose CONTROL_NET, or set it to 'reference'."
        )
    if shows and not takes:
        raise ValueError(
            f"With reference_mode {studio.mode.value!r} the model can be shown no pose; connect an "
            "OpenPose CONTROL_NET, or use an edit model with 'reference_latents' or 'qwen_edit'."
        )
    return controls, shows


def _need_maps(guides: Sequence[Guide]) -> None:
    for number, guide in enumerate(guides, 1):
        if not guide.has_map:
            raise ValueError(
                f"Pose {number} is a plain picture, and the ControlNet needs an OpenPose map; "
                "connect pose_model or pose_keypoint, or set pose_image_is to 'openpose_map'."
            )
