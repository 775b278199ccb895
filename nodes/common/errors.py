"""Errors that say which node they come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from comfy_api.latest import io

from ...engine.core.errors import FacetError


@contextmanager
def errors_from(node: type[io.ComfyNode] | str) -> Iterator[None]:
    """Puts the name of ``node``, as the user sees it, before a FacetError; a bug stays a bug.

    node: the node, or the name of the one that the user placed where a part of it runs.
    """
    try:
        yield
    except FacetError as error:
        name = node if isinstance(node, str) else node.define_schema().display_name
        raise FacetError(f"{name}: {error}") from error
