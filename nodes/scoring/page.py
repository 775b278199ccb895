"""What the scorer's panel requests: a character's reports, and their files."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import torch
from aiohttp import web
from comfy_api.latest import io, ui

from ...engine.core.errors import FacetError
from ...engine.store.files import contained
from ...engine.store.json_files import MANY, read_json
from ..common.page import below_output, output_folder

REPORTS = "report"
MOST_REPORTS = 20
TYPES = {
    "report.html": "text/html; charset=utf-8",
    "report.png": "image/png",
    "score.json": "application/json; charset=utf-8",
    "score.csv": "text/csv; charset=utf-8",
}
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-downloads allow-same-origin"
)
"""A report holds its images and its style; nothing in it may run, load or send anything.

It keeps its origin, as ComfyUI refuses what a page of no origin links to.
"""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
OWN_FOLDER = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d)-(\d\d)-(\d\d) [0-9a-f]{8}")


def shown(report: torch.Tensor, folder: Path, node: type[io.ComfyNode]) -> dict[str, Any]:
    """What the node gives the page: its image (1, H, W, 3), and the report's folder."""
    preview: dict[str, Any] = ui.PreviewImage(report, cls=node).as_dict()
    below = below_output(folder)
    return {**preview, "facet_report": [] if below is None else [below]}


def add_routes(routes: web.RouteTableDef) -> None:
    """Adds the page's requests to ComfyUI's."""

    @routes.get("/facet/reports")
    async def reports(request: web.Request) -> web.Response:
        """The reports of the character whose report lies in ``folder``, the latest first."""
        try:
            found = await asyncio.to_thread(reports_beside, request.query.get("folder", ""))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=404)
        return web.json_response({"reports": found})

    @routes.get("/facet/report/{character}/{file}")
    @routes.get("/facet/report/{character}/{report}/{file}")
    async def file(request: web.Request) -> web.Response:
        """A file of a report: of the latest one, or of the one that is named."""
        named = request.match_info
        try:
            path = report_file(named["character"], named.get("report", ""), named["file"])
            content = await asyncio.to_thread(path.read_bytes)
        except (ValueError, OSError) as error:
            return web.json_response({"error": str(error)}, status=404)
        response = web.Response(body=content, headers={**HEADERS, "Content-Type": TYPES[path.name]})
        # ComfyUI without API nodes puts a policy of its own in the place of any other, under which
        # scripts run. What is sent by then stays.
        await response.prepare(request)
        await response.write_eof()
        return response


def report_file(character: str, report: str, name: str) -> Path:
    """The file ``name`` in output/facet/<character>/report, or in the folder ``report`` of it.

    Raises FacetError when it is no report's, or is not there.
    """
    facet = contained(output_folder(), "facet")
    path = contained(facet, character, REPORTS, report, name)
    parts = path.relative_to(facet).parts
    depth = 4 if report else 3
    if len(parts) != depth or parts[1] != REPORTS or path.name not in TYPES or not path.is_file():
        raise FacetError(
            f"There is no {name!r} of a report in output/facet/{character}/report; run the "
            "Identity Scorer again."
        )
    return path


def reports_beside(folder: str) -> list[dict[str, Any]]:
    """The reports of a character by ``folder``, one of them, below ComfyUI's output folder.

    Raises FacetError when ``folder`` is no report's.
    """
    output = output_folder()
    given = contained(output, folder)
    facet = contained(output, "facet")
    if facet not in given.parents or given.relative_to(facet).parts[1:2] != (REPORTS,):
        raise FacetError(
            f"{folder!r} is not in output/facet/<character>/report; give the folder of a report."
        )
    character = facet / given.relative_to(facet).parts[0]
    known = sorted((character / REPORTS).glob("*/score.json"), reverse=True)
    read = (read_summary(path) for path in known if OWN_FOLDER.fullmatch(path.parent.name))
    return [one for one, _ in zip(filter(None, read), range(MOST_REPORTS), strict=False)]


def _summary(path: Path) -> dict[str, Any]:
    """What the panel shows beside the verdict; nothing of a report that has no such file."""
    try:
        told = read_json(contained(output_folder(), str(path)))
    except (OSError, FacetError):
        return {}
    return told if isinstance(told, dict) else {}


def read_summary(path: Path) -> dict[str, Any] | None:
    """What the page shows of the report with the score in ``path``; None where it is broken."""
    called = OWN_FOLDER.fullmatch(path.parent.name)
    try:
        score = read_json(contained(output_folder(), str(path)), MANY)
        verdict = str(score["verdict"])
    except (OSError, FacetError, KeyError, TypeError):
        return None
    if called is None:
        return None
    day, hour, minute, second = called.groups()
    return {
        **_summary(path.with_name("summary.json")),
        "folder": below_output(path.parent),
        "made": f"{day}T{hour}:{minute}:{second}",
        "verdict": verdict,
    }
