"""Errors that say which node they come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from comfy_api.latest import io

from ...engine.core.errors import FacetError
from ...engine.store.files import refused


@contextmanager
def errors_from(node: type[io.ComfyNode] | str) -> Iterator[None]:
    """Puts the name of ``node``, as the user sees it, before a FacetError, and makes one of what a
    disk refuses; a bug stays a bug.

    node: the node, or the name of the one that the user placed where a part of it runs.
    """
    try:
        yield
    except (FacetError, OSError) as error:
        if isinstance(error, FacetError) and error.node:
            raise
        name = node if isinstance(node, str) else node.define_schema().display_name
        said = str(error) if isinstance(error, FacetError) else refused(error)
        named = FacetError(said if said.startswith(f"{name}: ") else f"{name}: {said}")
        named.node = name or ""
        raise named from error
