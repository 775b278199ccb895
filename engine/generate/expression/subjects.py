"""The faces of the expression editor's last runs, as its page shows them and bends them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ...core.character import quantise
from ...core.errors import FacetError
from ...vision.faces import Face
from .presets import OWN, Preset, added, blended

SIDE = 512
"""Longest side in pixels of what the page is shown."""
AROUND = 0.4
_KEPT = 64


@dataclass(frozen=True, eq=False)
class Subject:
    """A face and what is around it, or a whole picture in which none was found.

    picture: (h, w, 3) uint8, at most SIDE px. face: in its pixels.
    """

    picture: np.ndarray
    face: Face | None

    @property
    def key(self) -> str:
        """What it is asked for by."""
        digest = hashlib.sha256(repr(self.picture.shape).encode() + self.picture.tobytes())
        if self.face is not None:
            digest.update(self.face.landmarks.tobytes())
        return digest.hexdigest()[:24]

    @property
    def image(self) -> torch.Tensor:
        """The picture as (h, w, 3) float32 in 0..1."""
        return torch.from_numpy(self.picture).to(torch.float32) / 255


class Subjects:
    """The latest of them, for the page's requests: as small pictures, and no more than so many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Subject] = {}

    def keep(self, subject: Subject) -> str:
        """Takes ``subject`` in and gives its key."""
        key = subject.key
        with self._lock:
            self._known.pop(key, None)
            self._known[key] = subject
            while len(self._known) > _KEPT:
                self._known.pop(next(iter(self._known)))
        return key

    def of(self, key: str) -> Subject:
        """The one called ``key``; FacetError when it is not known, or not any more."""
        with self._lock:
            subject = self._known.get(key)
        if subject is None:
            raise FacetError("This face is not known any more; run the node again.")
        return subject


def subject_of(image: torch.Tensor, face: Face | None) -> Subject:
    """``face`` in ``image`` (H, W, 3) with what is around it; the whole picture without one."""
    from ..retouch.retouch import surroundings

    height, width = image.shape[:2]
    box = (0, 0, width, height) if face is None else surroundings(face, image, AROUND)
    left, top, right, bottom = box
    part = image[top:bottom, left:right]
    scale = min(1.0, SIDE / max(part.shape[:2]))
    size = (max(1, round(part.shape[0] * scale)), max(1, round(part.shape[1] * scale)))
    if scale < 1:
        moved = part.permute(2, 0, 1)[None]
        part = torch.nn.functional.interpolate(moved, size=size, mode="area")[0].permute(1, 2, 0)
    picture = np.ascontiguousarray(quantise(part).cpu().numpy())
    if face is None:
        return Subject(picture, None)
    shrunk = np.array([size[1] / (right - left), size[0] / (bottom - top)], dtype=np.float32)
    places = (face.landmarks - np.array([left, top], np.float32)) * shrunk
    x0, y0, x1, y1 = face.box
    box_there = (
        float((x0 - left) * shrunk[0]),
        float((y0 - top) * shrunk[1]),
        float((x1 - left) * shrunk[0]),
        float((y1 - top) * shrunk[1]),
    )
    eyes = face.eye_distance * float(shrunk[0])
    small = replace(face, landmarks=places.astype(np.float32), box=box_there, eye_distance=eyes)
    return Subject(picture, small)


def described(subject: Subject) -> dict[str, Any]:
    """``subject`` as the page draws it."""
    from ...drawing.data_url import jpeg_url

    height, width = subject.picture.shape[:2]
    face = subject.face
    return {
        "key": subject.key,
        "size": [width, height],
        "picture": jpeg_url(subject.picture),
        "landmarks": None if face is None else _plain(face.landmarks),
        "yaw": 0.0 if face is None else face.yaw,
    }


def preview(
    subject: Subject, asked: Mapping[str, Any], presets: Mapping[str, Preset]
) -> dict[str, Any]:
    """The face of ``subject`` with the sliders that its widgets come to.

    asked: points, neutralise, paints (whether a run would paint what moves), and what ``totals``
    takes. Raises FacetError for what cannot be.
    """
    from ...drawing.data_url import jpeg_url
    from .edit import edit
    from .hand_placed import hand_placed

    height, width = subject.picture.shape[:2]
    placed = hand_placed(str(asked.get("points", "")), width, height)
    face = subject.face or placed
    if face is None:
        raise FacetError("There is no face in this image; place the twelve points.")
    preset = str(asked.get("preset", OWN))
    sliders = totals(
        preset,
        _number(asked.get("strength", 1.0)),
        _pairs(asked.get("sliders")),
        _pairs(asked.get("copied")),
        presets,
    )
    neutralise = bool(asked.get("neutralise")) or preset == "neutral"
    paints = bool(asked.get("paints"))
    edited = edit(subject.image, face, sliders, neutralise=neutralise, paints=paints)
    moved = face.landmarks if edited.landmarks is None else edited.landmarks
    return {
        "key": subject.key,
        "picture": jpeg_url(quantise(edited.image).numpy()),
        "from": _plain(face.landmarks),
        "landmarks": _plain(moved),
        "yaw": face.yaw,
        "notes": list(edited.notes),
    }


def totals(
    preset: str,
    strength: float,
    sliders: Mapping[str, float],
    copied: Mapping[str, float],
    presets: Mapping[str, Preset],
) -> dict[str, float]:
    """What all the sliders come to: the copied expression, the preset and the person's own.

    Raises FacetError for names that there are not and for amounts that are no numbers.
    """
    parts = {} if preset == OWN else {preset: strength}
    return blended(parts, added(copied, sliders), presets)


def _pairs(value: Any) -> dict[str, float]:
    """A JSON object as sliders by name."""
    if not isinstance(value, Mapping):
        return {}
    return {str(name): _number(amount) for name, amount in value.items()}


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise FacetError(f"{json.dumps(value)} is no number; give the sliders numbers.") from error


def _plain(landmarks: np.ndarray) -> list[list[float]]:
    rows: list[list[float]] = np.round(np.asarray(landmarks, np.float64), 2).tolist()
    return rows
