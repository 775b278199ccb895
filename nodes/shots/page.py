"""What the page draws in the shooting nodes: told while shots are made, and asked for later."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from comfy_api.latest import ComfyAPISync
from comfy_api.latest import io as comfy_io
from PIL import Image

from ...engine.core.character import Character, quantise
from ...engine.core.errors import FacetError
from ...engine.drawing.data_url import jpeg_url
from ...engine.generate.shots.decisions import NONE, Decision, names
from ...engine.generate.shots.plan import ShotPlan, ShotRequest
from ...engine.store.files import contained, write_json_atomic
from ...engine.store.json_files import MANY, read_json
from ..common.folders import character_folder
from ..common.page import (
    Latest,
    below_output,
    of_a_character,
    send,
    watched_to_its_end,
    workflow_id,
)

if TYPE_CHECKING:
    import torch

    from ...engine.generate.shots.make import ShotProgress

MESSAGE = "facet.shots"
PREVIEW = "facet.shots.preview"
SHOTS = "shots"
THUMBNAIL_SIDE = 384
_SECONDS_BETWEEN_PREVIEWS = 0.25
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

    def take(self, progress: ShotProgress) -> None:
        """Takes up what has happened to the shot."""
        self.state, self.attempt = progress.state, progress.attempt
        self.tries = max(self.tries, progress.attempt)
        shot = progress.shot
        if shot is None:
            return
        self.scores = [asdict(score) for score in shot.scores]
        height, width = shot.size
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

    def take(self, progress: ShotProgress) -> None:
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
    small = picture.convert("RGB")
    small.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
    return jpeg_url(small, 80)


KNOWN: Latest[Grid] = Latest()
"""Of this process: shooting nodes write, and the page's requests read."""


class ShotReporter:
    """Tells the page and ComfyUI's progress bar of each shot, with previews on the way."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._set_progress = ComfyAPISync().execution.set_progress
        self._told = 0
        self._previewed = 0.0
        self._now: ShotProgress | None = None
        self._steps = 1
        self._previewer: Any = None

    def prepare(self, model: Any, steps: int) -> None:
        """Takes up what is sampled: a MODEL, in so many steps a picture."""
        import latent_preview

        self._steps = steps
        # None where ComfyUI's settings ask for no previews, as they do at first.
        self._previewer = latent_preview.get_previewer(model.load_device, model.model.latent_format)

    def __call__(self, progress: ShotProgress) -> None:
        """Something has happened to a shot."""
        self._now = progress
        self.grid.take(progress)
        done = progress.number - (not progress.ended)
        self._set_progress(done * self._steps, progress.total * self._steps)
        self.tell()

    def step(self, step: int, latent: torch.Tensor) -> None:
        """One sampling step of the shot at hand, with its denoised latent."""
        now, moment = self._now, time.monotonic()
        if now is None or moment - self._previewed < _SECONDS_BETWEEN_PREVIEWS:
            return
        self._previewed = moment
        done = (now.number - 1) * self._steps + min(step, self._steps - 1)
        self._set_progress(done, now.total * self._steps)
        view = {
            "node": self.grid.node,
            "workflow": self.grid.workflow,
            "index": now.number - 1,
            "step": step,
            "steps": self._steps,
            "picture": "",
        }
        if self._previewer is not None:
            _, picture, _ = self._previewer.decode_latent_to_preview_image("JPEG", latent)
            view["picture"] = data_url(picture)
        send(PREVIEW, view, self.grid.workflow)

    def tell(self) -> None:
        """Sends what the page does not have yet."""
        view = self.grid.view(self._told)
        self._told = self.grid.revision
        send(MESSAGE, view, self.grid.workflow)

    def end(self, state: str, note: str = "") -> None:
        """Tells how it ended, and writes down what the grid shows."""
        self.grid.state, self.grid.note = state, note
        if state == "finished":
            write_json_atomic(self.grid.file, self.grid.view())
        self.tell()


def reported(
    node: type[comfy_io.ComfyNode],
    character: Character,
    plan: ShotPlan,
    decisions: Mapping[str, Decision],
) -> contextlib.AbstractContextManager[ShotReporter]:
    """Has the shots of ``plan`` drawn in ``node`` for the length of the ``with``."""
    grid = Grid(
        str(node.hidden.unique_id),
        workflow_id(node.hidden.extra_pnginfo),
        character_folder(character, SHOTS),
        plan.requests,
        decisions,
    )
    KNOWN.begin(grid)
    return watched_to_its_end(ShotReporter(grid), grid)


def add_routes(routes: web.RouteTableDef) -> None:
    """Adds the page's requests to ComfyUI's."""

    @routes.get("/facet/shots")
    async def grids(request: web.Request) -> web.Response:
        """The grids of the workflow with the id ``workflow``."""
        found = KNOWN.of(request.query.get("workflow", ""))
        return web.json_response({"grids": [grid.view() for grid in found]})

    @routes.get("/facet/shots/grid")
    async def saved(request: web.Request) -> web.Response:
        """The grid in the file ``path``, which lies in output/facet/<character>/grids."""
        try:
            return web.json_response(saved_grid(request.query.get("path", "")))
        except FacetError as error:
            return web.json_response({"error": str(error)}, status=404)

    @routes.get("/facet/shots/picture")
    async def picture(request: web.Request) -> web.Response:
        """A shot of ``folder``, which is output/facet/<character>/shots, small."""
        folder, key = request.query.get("folder", ""), request.query.get("key", "")
        try:
            made = await asyncio.to_thread(thumbnail, folder, key)
        except FacetError as error:
            return web.json_response({"error": str(error)}, status=404)
        # A key stands for one picture for ever.
        headers = {"Cache-Control": "private, max-age=31536000, immutable"}
        return web.Response(body=made, content_type="image/webp", headers=headers)


def saved_grid(path: str) -> dict[str, Any]:
    """A grid on the disk; ``path`` is below ComfyUI's output folder.

    Raises FacetError when it is none of Facet's grids.
    """
    file = of_a_character(path, GRIDS)
    try:
        view = read_json(file, MANY)
    except (OSError, FacetError) as error:
        raise FacetError(f"There is no grid of shots in {path!r}.") from error
    if not isinstance(view, dict) or not isinstance(view.get("cells"), list):
        raise FacetError(f"{path!r} is no grid of shots.")
    return view


def thumbnail(folder: str, key: str) -> bytes:
    """A shot as a WebP file of at most 384 px; ``folder`` is below ComfyUI's output folder.

    Raises FacetError when there is no such shot.
    """
    if not re.fullmatch("[0-9a-f]{8,64}", key):
        raise FacetError(f"{key!r} is no shot's name.")
    file = of_a_character(f"{folder}/{key}.png", SHOTS)
    buffer = io.BytesIO()
    try:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
    except OSError as error:
        raise FacetError(f"There is no shot {key} in {folder!r}.") from error
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    picture.save(buffer, "WEBP", quality=85, method=2)
    return buffer.getvalue()
