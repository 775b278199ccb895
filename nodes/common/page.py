"""What the panels in the page share: who is told, what they ask for, and where the files are."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import folder_paths
from aiohttp import web

from ...engine.core.errors import FacetError
from ...engine.store.files import contained
from ...engine.store.json_files import parse_json

RUNNING = ("preparing", "running")
_KEPT = 20
MOST_BYTES = 4 * 1024 * 1024
"""The longest request that a panel sends: the decisions about a large dataset."""


class Watched(Protocol):
    """Something long that a node does, as its panel shows it.

    node: the id under which ComfyUI runs the node, such as "7", or "4:7" in a subgraph; workflow:
    the id of the page's graph, '' for a prompt that came without one.
    """

    node: str
    workflow: str
    state: str


W = TypeVar("W", bound=Watched)


class Latest(Generic[W]):
    """The latest of its kind for each node, for pages that come later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], W] = {}

    def begin(self, watched: W) -> None:
        """Takes ``watched`` in, in the place of an earlier one of the same node."""
        with self._lock:
            self._known.pop((watched.workflow, watched.node), None)
            self._known[watched.workflow, watched.node] = watched
            while len(self._known) > _KEPT:
                self._known.pop(next(iter(self._known)))

    def all(self) -> list[W]:
        """All of them, the latest first."""
        with self._lock:
            return list(reversed(self._known.values()))

    def of(self, workflow: str) -> list[W]:
        """Those of one workflow, in the order in which they began."""
        return [one for one in reversed(self.all()) if one.workflow == workflow]

    def running(self, workflow: str, node: str) -> bool:
        """Whether the node is at it just now."""
        with self._lock:
            watched = self._known.get((workflow, node))
        return watched is not None and watched.state in RUNNING


class Teller(Protocol):
    """Tells the page of something watched, and how it ended."""

    def tell(self) -> None:
        """Sends what the page does not have yet."""

    def end(self, state: str, note: str = "") -> None:
        """Tells how it ended."""


T = TypeVar("T", bound=Teller)


@contextlib.contextmanager
def watched_to_its_end(teller: T, watched: Watched) -> Iterator[T]:
    """Has the page told how ``watched`` ends: finished, cancelled, or failed with its error."""
    from comfy.model_management import InterruptProcessingException

    teller.tell()
    try:
        yield teller
    except InterruptProcessingException:
        teller.end("cancelled", "Cancelled. What is done is kept; queue it again to go on.")
        raise
    except BaseException as error:
        teller.end("failed", str(error))
        raise
    if watched.state in RUNNING:
        teller.end("finished")


def workflow_id(extra_pnginfo: Any) -> str:
    """The id of the page's graph in ComfyUI's hidden input; '' from a script."""
    return str(((extra_pnginfo or {}).get("workflow") or {}).get("id") or "")


def send(message: str, view: dict[str, Any], workflow: str) -> None:
    """Sends ``view`` to every page, which know their own by the workflow's id.

    Without an id no page could tell whose node it is; then only the one that asked is told.
    """
    from server import PromptServer

    server = PromptServer.instance
    server.send_sync(message, view, None if workflow else server.client_id)


async def json_body(request: web.Request) -> dict[str, Any]:
    """The JSON object that a POST request carries.

    Raises aiohttp's HTTPException, with a sentence, for another content type, for another site's
    page, for what is too long and for what is no object. JSON is UTF-8, whatever a header says.
    """
    if _is_foreign(request):
        raise _refused(web.HTTPForbidden, "The request comes from another site's page.")
    if request.content_type != "application/json":
        raise _refused(web.HTTPUnsupportedMediaType, "Send the request as application/json.")
    if (request.content_length or 0) > MOST_BYTES:
        raise web.HTTPRequestEntityTooLarge(MOST_BYTES, request.content_length or 0)
    try:
        asked = parse_json(await request.read(), "The request", MOST_BYTES)
    except FacetError:
        asked = None
    if not isinstance(asked, dict):
        raise _refused(web.HTTPBadRequest, "The request holds no JSON object; send one.")
    return asked


def _is_foreign(request: web.Request) -> bool:
    """Whether a page of another site sent ``request``, or one that hides where it is from."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:  # what browsers say themselves, over https and on this machine
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != request.host


def user_of(request: web.Request) -> str | None:
    """Which of ComfyUI's users asks; None where --multi-user is off.

    Raises FacetError for one that ComfyUI does not know.
    """
    from comfy.cli_args import args
    from server import PromptServer

    if not args.multi_user:
        return None
    try:
        return str(PromptServer.instance.user_manager.get_request_user_id(request))
    except KeyError as error:
        raise FacetError("ComfyUI does not know you; reload the page and choose a user.") from error


def _refused(kind: type[web.HTTPError], error: str) -> web.HTTPError:
    return kind(text=json.dumps({"error": error}), content_type="application/json")


def output_folder() -> Path:
    """ComfyUI's output folder."""
    return Path(folder_paths.get_output_directory())


def below_output(path: Path) -> str | None:
    """``path`` as seen from ComfyUI's output folder, or None when it is not in there."""
    with contextlib.suppress(ValueError):
        return path.resolve().relative_to(output_folder().resolve()).as_posix()
    return None


def of_a_character(path: str, kind: str) -> Path:
    """``path``, below ComfyUI's output folder, as a file in a character's folder ``kind``.

    Raises FacetError when it lies anywhere else.
    """
    output = output_folder()
    file = contained(output, path)
    if file.parent.name != kind or file.parent.parent.parent != contained(output, "facet"):
        raise FacetError(f"{path!r} is not in output/facet/<character>/{kind}.")
    return file
