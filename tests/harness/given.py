"""What a test has already, as the outputs of a node in its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import folder_paths
import nodes
import pytest
from comfy_api.latest import io


def given_node(
    monkeypatch: pytest.MonkeyPatch, kinds: Sequence[str], make: Callable[[], Sequence[Any]]
) -> None:
    """For one test, a node `Given` whose outputs are ``make()``, called inside the node."""

    class Given(io.ComfyNode):
        @classmethod
        def define_schema(cls) -> io.Schema:
            return io.Schema(node_id="Given", outputs=[io.Custom(kind).Output() for kind in kinds])

        @classmethod
        def execute(cls) -> io.NodeOutput:
            return io.NodeOutput(*make())

    monkeypatch.setitem(nodes.NODE_CLASS_MAPPINGS, "Given", Given)


def loras_folder(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """For one test, ``folder`` as the only one in which ComfyUI looks for LoRAs."""
    folder.mkdir(exist_ok=True)
    known = ([str(folder)], folder_paths.supported_pt_extensions)
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", known)
    return folder
