"""A real ComfyUI in a process of its own, spoken to over HTTP and its websocket."""

from __future__ import annotations

import json
import mimetypes
import os
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facet.launcher.client import Client
from facet.launcher.demo import HEADLESS
from facet.launcher.places import ROOT
from facet.launcher.server import Server


def options() -> tuple[str, ...]:
    """How ComfyUI is started: with the front end in FACET_FRONT_END, where that names one."""
    front_end = os.environ.get("FACET_FRONT_END")
    return (*HEADLESS, *(("--front-end-root", front_end) if front_end else ()))


REAL_FACES_NODE = """import sys
sys.path.append({root!r})
from launcher.inprocess import declare_pack
declare_pack()
from facet.real_faces.node import NODE_CLASS_MAPPINGS
"""


def write_real_faces_node(base: Path) -> None:
    """Give the ComfyUI of ``base`` a node RealFaceModels, for prompts with photographs."""
    file = base / "custom_nodes" / "real_faces.py"
    file.write_text(REAL_FACES_NODE.format(root=str(ROOT)), "utf-8")


@dataclass(frozen=True)
class Run:
    """A prompt that has ended: its events, and what /history keeps of it."""

    events: list[tuple[str, dict[str, Any]]]
    history: dict[str, Any]

    @property
    def outputs(self) -> dict[str, dict[str, list[Any]]]:
        """What each node showed in the page."""
        outputs: dict[str, dict[str, list[Any]]] = self.history["outputs"]
        return outputs

    @property
    def status(self) -> str:
        """'success' or 'error'."""
        return str(self.history["status"]["status_str"])

    @property
    def error(self) -> str:
        """The message of the node that failed, or ''."""
        failed = [data for event, data in self.events if event == "execution_error"]
        return failed[0]["exception_message"].strip() if failed else ""

    @property
    def cached(self) -> set[str]:
        """The nodes that did not run again."""
        lists = [data["nodes"] for event, data in self.events if event == "execution_cached"]
        return {node for nodes in lists for node in nodes}


class ComfyServer:
    """The running server under test and one client of it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = Client(server.address)

    @property
    def address(self) -> str:
        return self.server.address

    @property
    def input(self) -> Path:
        return self.server.base / "input"

    @property
    def output(self) -> Path:
        return self.server.output

    @property
    def log(self) -> str:
        return self.server.log_text()

    def run(self, prompt: dict[str, Any]) -> Run:
        """Queue a prompt and wait for its end; raises launcher.problem.Problem when refused."""
        socket = self.client.connect()
        try:
            prompt_id = self.client.queue(prompt)
            events = list(self.client.events(socket, prompt_id))
        finally:
            socket.close()
        history = self.client.history(prompt_id)
        assert history is not None, "the prompt ended and is not in /history"
        return Run(events, history)

    def upload(self, file: Path, name: str | None = None) -> str:
        """Send a picture to the input folder; the name to give to LoadImage."""
        boundary = uuid.uuid4().hex
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="image"; '
            f'filename="{name or file.name}"\r\nContent-Type: {kind}\r\n\r\n'
        )
        body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        request = urllib.request.Request(
            f"{self.address}/upload/image",
            body,
            {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return str(json.load(answer)["name"])
