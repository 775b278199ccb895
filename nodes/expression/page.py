"""What the expression editor in the page asks for: rig, faces, how one would look, presets."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from ...engine.core.errors import FacetError
from ...engine.core.letters import is_portable
from ...engine.generate.expression.presets import OWN, PRESETS
from ...engine.generate.expression.rig import checked
from ...engine.generate.expression.subjects import Subjects, described, preview
from ...engine.generate.expression.table import PATH
from ...engine.store.files import contained, write_json_atomic
from ..common.folders import expressions_folder
from ..common.page import json_body, user_of
from .inputs import known_presets

FACES = Subjects()
"""Of this process: the node writes, and the page's requests read."""


def add_routes(routes: web.RouteTableDef) -> None:
    """Adds the page's requests to ComfyUI's."""

    @routes.get("/facet/expression/rig")
    async def rig(request: web.Request) -> web.Response:
        """The table of sliders and landmarks, and every preset."""
        return await _answered(lambda: rig_and_presets(user_of(request)))

    @routes.get("/facet/expression/face")
    async def face(request: web.Request) -> web.Response:
        """The face called ``key`` as it is."""
        return await _answered(lambda: described(FACES.of(request.query.get("key", ""))))

    @routes.post("/facet/expression/preview")
    async def bent(request: web.Request) -> web.Response:
        """The face called ``key`` with the sliders of the body."""
        asked = await json_body(request)
        return await _answered(lambda: shown(asked))

    @routes.post("/facet/expression/preset")
    async def keep(request: web.Request) -> web.Response:
        """Keeps the body's ``sliders`` under its ``name``."""
        asked = await json_body(request)
        return await _answered(
            lambda: keep_preset(str(asked.get("name", "")), asked.get("sliders"), user_of(request))
        )


def shown(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The face ``asked["key"]`` with the sliders of ``asked``; see `preview`."""
    return preview(FACES.of(str(asked.get("key", ""))), asked, known_presets())


def rig_and_presets(user: str | None = None) -> dict[str, Any]:
    """What the engine's rig.json holds, and the sliders of each preset of ``user`` by its name."""
    presets = {name: dict(one.sliders) for name, one in known_presets(user).items()}
    return {"rig": json.loads(PATH.read_text("utf-8")), "presets": presets, "own": OWN}


def keep_preset(name: str, sliders: Any, user: str | None = None) -> dict[str, Any]:
    """Writes a preset of a person's own, in the form in which the pack's are written.

    Raises FacetError for a name that a file cannot have or that the pack or another user has
    taken, and for sliders that there are not.
    """
    name = name.strip()
    if not re.fullmatch(r"[\w][\w \-]{0,39}", name) or not is_portable(name):
        raise FacetError(
            f"{name!r} cannot be a preset's name; use up to 40 letters, digits and spaces."
        )
    if name in PRESETS or name == OWN:
        raise FacetError(f"{name!r} is one of Facet's own presets; choose another name.")
    if name in known_presets() and name not in known_presets(user):
        raise FacetError(f"{name!r} is another user's preset; choose another name.")
    if not isinstance(sliders, Mapping):
        raise FacetError("There are no sliders to keep.")
    amounts = {key: round(value, 3) for key, value in checked(sliders).items() if value}
    row = {"expression": name, "words": name, "sliders": amounts}
    write_json_atomic(contained(expressions_folder(user), f"{name}.json"), {name: row})
    return {"name": name, "sliders": amounts}


async def _answered(work: Callable[[], dict[str, Any]]) -> web.Response:
    """What ``work`` gives, done beside the server's own; its FacetError as a sentence."""
    try:
        return web.json_response(await asyncio.to_thread(work))
    except FacetError as error:
        return web.json_response({"error": str(error)}, status=400)
