"""The shots of one run of a node, as the page draws them."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from ...engine.core.character import quantise
from ...engine.generate.shots.decisions import NONE, Decision, names
from ...engine.generate.shots.plan import ShotRequest
from ...engine.store.files import contained
from ..common.page import below_output

if TYPE_CHECKING:
    from ...engine.generate.shots.make import Progress

GRIDS = "grids"
_PREVIEW_SIDE = 256


@dataclass
class Cell:
    """One shot as the page draws it; ``revision`` is that of the grid when it last changed."""

    name: str
    tags: dict[str, Any]
    decision: dict[str, Any]
    state: str = "waiting"
    key: str = ""
    hash: str = ""
    size: tuple[int, int] | None = None
    attempt: int = 0
    tries: int = 0
    scores: list[dict[str, Any]] = field(default_factory=list)
    picture: str = ""
    revision: int = 0

    def take(self, progress: Progress) -> None:
        """Takes up what has happened to the shot."""
        self.state, self.attempt = progress.state, progress.attempt
        self.tries = max(self.tries, progress.attempt)
        shot = progress.shot
        if shot is None:
            return
        self.scores = [asdict(score) for score in shot.scores]
        height, width = shot.image.shape[:2]
        self.size = (width, height)
        if progress.state == "retried":
            self.picture = data_url(Image.fromarray(quantise(shot.image).numpy()))
            return
        # On the disk by now, under its key.
        self.picture, self.key, self.hash = "", progress.key, shot.hash
        self.attempt, self.tries = shot.provenance.attempt, shot.provenance.tries


class Grid:
    """The shots of one run of a node; see `page.Watched`."""

    def __init__(
        self,
        node: str,
        workflow: str,
        folder: Path,
        requests: Sequence[ShotRequest],
        decisions: Mapping[str, Decision],
    ) -> None:
        self.node = node
        self.workflow = workflow
        self.folder = folder
        self.state = "preparing"
        self.note = ""
        self.sheet: Path | None = None
        self.revision = 0
        self.cells = [
            Cell(name, tags_of(request), asdict(decisions.get(name, NONE)))
            for name, request in zip(names(requests), requests, strict=True)
        ]

    def take(self, progress: Progress) -> None:
        """Takes up what has happened to one shot."""
        self.state = "running"
        self.revision += 1
        cell = self.cells[progress.number - 1]
        cell.take(progress)
        cell.revision = self.revision

    @property
    def file(self) -> Path:
        """Where this set of shots is described, for a page that is opened later."""
        keys = "\n".join(f"{cell.name}\t{cell.key}" for cell in self.cells)
        name = hashlib.sha256(f"{self.workflow}\n{self.node}\n{keys}".encode()).hexdigest()[:24]
        return contained(self.folder.parent, GRIDS, f"{name}.json")

    def view(self, after: int = 0) -> dict[str, Any]:
        """The grid as JSON, with the cells that have changed since revision ``after``."""
        changed = [
            {"index": index, **asdict(cell)}
            for index, cell in enumerate(self.cells)
            if cell.revision > after or not after
        ]
        return {
            "node": self.node,
            "workflow": self.workflow,
            "folder": below_output(self.folder),
            "grid": below_output(self.file) if self.state == "finished" else None,
            "sheet": below_output(self.sheet) if self.sheet else None,
            "state": self.state,
            "note": self.note,
            "total": len(self.cells),
            "after": after,
            "revision": self.revision,
            "cells": changed,
        }


def tags_of(request: ShotRequest) -> dict[str, str]:
    """The tags that are told apart in the grid."""
    axes = ("framing", "view", "expression", "pose")
    return {axis: value for axis in axes if (value := getattr(request.tags, axis))}


def data_url(picture: Image.Image) -> str:
    """``picture`` as a small JPEG that stands in a message."""
    buffer = io.BytesIO()
    small = picture.convert("RGB")
    small.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
    small.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
