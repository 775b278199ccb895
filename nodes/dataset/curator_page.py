"""What the page draws in the curator: its gallery's file, the pictures, and what comes back."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from aiohttp import web
from comfy.model_management import throw_exception_if_processing_interrupted
from comfy.utils import ProgressBar
from comfy_api.latest import io as comfy_io
from PIL import Image

from ...engine.core.character import LONGEST_CAPTION, Shot, shot_record
from ...engine.core.errors import FacetError
from ...engine.core.vocabulary import VOCABULARY
from ...engine.dataset.curation import Curation, parse_curation, set_hash
from ...engine.dataset.curation_file import Settled, keep_choices, kept_choices
from ...engine.dataset.layouts import names_of
from ...engine.store.captions_by_hand import keep_by_hand
from ...engine.store.files import contained, write_atomic, write_json_atomic
from ...engine.store.json_files import MANY, read_json
from ..common.folders import character_folder
from ..common.page import below_output, json_body, of_a_character, output_folder, workflow_id

if TYPE_CHECKING:
    from ...engine.dataset.lint import Report

GALLERY = "gallery"
THUMBNAIL_SIDE = 320
_KEY_DIGITS = 32

_SHOWN: WeakValueDictionary[str, Shot] = WeakValueDictionary()
"""Of this process: the shots that ComfyUI still holds, to be seen at their full size."""


def show_gallery(
    node: type[comfy_io.ComfyNode], settled: Settled, report: Report, *, review: bool, held: bool
) -> dict[str, Any]:
    """Writes what ``node`` shows, and returns what ComfyUI's page is told of it."""
    folder = character_folder(settled.came)
    progress = ProgressBar(len(settled.came.pictures))
    for shot in settled.came.pictures:
        throw_exception_if_processing_interrupted()
        _SHOWN[shot.hash[:_KEY_DIGITS]] = shot
        file = contained(folder, GALLERY, f"{shot.hash[:_KEY_DIGITS]}.webp")
        if not file.is_file():
            write_atomic(file, webp(pixels(shot), THUMBNAIL_SIDE))
        progress.update(1)
    place = f"{workflow_id(node.hidden.extra_pnginfo)}\n{node.hidden.unique_id}"
    name = hashlib.sha256(place.encode()).hexdigest()[:24]
    file = contained(folder, GALLERY, f"{name}.json")
    write_json_atomic(file, view(settled, report, below_output(folder), review=review, held=held))
    return {"facet_curator": [{"gallery": below_output(file)}]}


def view(
    settled: Settled, report: Report, folder: str | None, *, review: bool, held: bool
) -> dict[str, Any]:
    """The gallery as JSON: every picture as it came, what was decided, and what is wrong."""
    came, names = settled.came, names_of(settled.came)
    return {
        "folder": folder,
        "trigger": came.trigger,
        "set": set_hash(came),
        "review": review,
        "held": held,
        "curation": record(settled.curation),
        "report": report.record(),
        "vocabulary": {axis: dict(values) for axis, values in VOCABULARY.items()},
        "shots": [
            cell(
                shot,
                names[shot.hash],
                original=shot is came.source,
                outdated=settled.outdated.get(shot.hash),
            )
            for shot in came.pictures
        ],
    }


def cell(shot: Shot, name: str, *, original: bool, outdated: str | None) -> dict[str, Any]:
    """One picture as JSON; ``outdated`` is a caption of the workflow that it no longer has.

    name: what a person knows it by.
    """
    whole = shot_record(shot)
    height, width = shot.size
    kept = ("hash", "caption", "by_hand", "include", "weight", "tags")
    return {
        **{name: whole[name] for name in kept},
        "name": name,
        "original": original,
        "outdated": outdated,
        "size": [width, height],
        "failed": [score.gate for score in shot.scores if score.passed is False],
    }


def record(curation: Curation) -> dict[str, Any]:
    """``curation`` as the node's widget holds it."""
    shots = {key: choice.record() for key, choice in curation.choices.items()}
    return {"shots": shots, "approved": curation.approved}


def pixels(shot: Shot) -> Image.Image:
    """The picture of ``shot``."""
    return Image.fromarray(shot.pixels.numpy())


def webp(picture: Image.Image, side: int) -> bytes:
    """``picture`` as a WebP file of at most ``side`` px."""
    picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=85, method=2)
    return buffer.getvalue()


def add_routes(routes: web.RouteTableDef) -> None:
    """Adds the page's requests to ComfyUI's."""

    @routes.get("/facet/curator")
    async def gallery(request: web.Request) -> web.Response:
        """The gallery in the file ``path``, which lies in output/facet/<character>/gallery."""
        try:
            return web.json_response(saved_gallery(request.query.get("path", "")))
        except FacetError as error:
            return web.json_response({"error": str(error)}, status=404)

    @routes.get("/facet/curator/picture")
    async def picture(request: web.Request) -> web.Response:
        """The picture ``key`` of the character in ``folder``: small, or large when it is there."""
        asked = request.query
        try:
            made = await asyncio.to_thread(
                picture_file, asked.get("folder", ""), asked.get("key", ""), "large" in asked
            )
        except FacetError as error:
            return web.json_response({"error": str(error)}, status=404)
        # A key stands for one picture for ever; large, only while ComfyUI holds it.
        lasting = "no-store" if "large" in asked else "private, max-age=31536000, immutable"
        headers = {"Cache-Control": lasting}
        return web.Response(body=made, content_type="image/webp", headers=headers)

    @routes.post("/facet/curator/keep")
    async def keep(request: web.Request) -> web.Response:
        """Keeps beside the dataset what was decided in a page; see `keep_decisions`."""
        asked = await json_body(request)
        try:
            await asyncio.to_thread(keep_decisions, asked)
        except FacetError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({})


def saved_gallery(path: str) -> dict[str, Any]:
    """A gallery on the disk, with what is kept beside the dataset by now.

    ``path`` is below ComfyUI's output folder. Raises FacetError when it is none of Facet's.
    """
    file = of_a_character(path, GALLERY)
    try:
        shown = read_json(file, MANY)
    except (OSError, ValueError) as error:
        raise FacetError(f"There is no gallery in {path!r}.") from error
    if not isinstance(shown, dict) or not isinstance(shown.get("shots"), list):
        raise FacetError(f"{path!r} is no gallery.")
    return shown | {"kept": record(Curation(kept_choices(file.parent.parent)))}


def picture_file(folder: str, key: str, large: bool = False) -> bytes:
    """A picture as a WebP file; ``folder`` is the character's, below ComfyUI's output folder.

    Raises FacetError when there is no such picture.
    """
    if not re.fullmatch("[0-9a-f]{32}", key):
        raise FacetError(f"{key!r} is no image's name.")
    file = of_a_character(f"{folder}/{GALLERY}/{key}.webp", GALLERY)
    shot = _SHOWN.get(key) if large and file.is_file() else None
    if shot is not None:
        return webp(pixels(shot), max(shot.size))
    try:
        return file.read_bytes()
    except OSError as error:
        raise FacetError(f"There is no image {key} in {folder!r}.") from error


def keep_decisions(given: Any) -> None:
    """Keeps what the page sends; FacetError when it is not what the page would send.

    captions: by picture hash, None for one that is taken back.
    """
    values: Mapping[str, Any] = given if isinstance(given, dict) else {}
    folder, text = values.get("folder"), values.get("curation")
    pictures, captions = values.get("pictures"), values.get("captions")
    if not isinstance(folder, str) or not isinstance(text, str):
        raise FacetError("The decisions need a folder and a curation; send both as texts.")
    if not isinstance(pictures, list) or not all(map(_is_hash, pictures)):
        raise FacetError("The decisions need the hashes of their images; send them as a list.")
    if not isinstance(captions, dict) or not all(map(_is_hash, captions)):
        raise FacetError("The decisions need captions by their images' hashes; send an object.")
    for caption in captions.values():
        if caption is not None and (not isinstance(caption, str) or not _fits(caption)):
            raise FacetError(
                f"A caption is no text, or longer than the {LONGEST_CAPTION} letters that a text "
                "encoder may read; send a shorter one."
            )
    place = characters_own(folder)
    keep_choices(place, parse_curation(text).choices, pictures)
    keep_by_hand(place, {picture: _told(caption) for picture, caption in captions.items()})


def characters_own(folder: str) -> Path:
    """A character's folder with a gallery in it; FacetError when ``folder`` is anything else."""
    place = contained(output_folder(), folder)
    if place.parent != contained(output_folder(), "facet") or not (place / GALLERY).is_dir():
        raise FacetError(f"{folder!r} is no character's folder with a gallery.")
    return place


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _fits(caption: str) -> bool:
    try:
        caption.encode()
    except UnicodeEncodeError:
        return False
    return len(caption) <= LONGEST_CAPTION


def _told(caption: str | None) -> str | None:
    return (caption or "").strip() or None
