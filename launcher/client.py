"""ComfyUI over HTTP and its websocket."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .problem import Problem
from .websocket import WebSocket

Json = dict[str, Any]


class Client:
    """One client of the ComfyUI at `address`, such as http://127.0.0.1:8188.

    Requests raise urllib.error.HTTPError for an answer that is not 2xx.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.id = uuid.uuid4().hex

    def get(self, path: str) -> Any:
        """The JSON at `path`."""
        with urllib.request.urlopen(self.address + path, timeout=120) as answer:
            return json.load(answer)

    def post(self, path: str, body: Json) -> Any:
        """The JSON answer to `body` sent to `path`; None when the answer is empty."""
        request = urllib.request.Request(
            self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def upload(self, picture: Path) -> str:
        """Put a picture into ComfyUI's input folder; the name that Load Image knows it by.

        Raises Problem when ComfyUI refuses it.
        """
        border, name = uuid.uuid4().hex, re.sub(r"[^\w.-]+", "_", picture.name)
        head = (
            f'--{border}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + picture.read_bytes() + f"\r\n--{border}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={border}"}
        request = urllib.request.Request(f"{self.address}/upload/image", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as error:
            raise Problem(f"ComfyUI refused {picture.name} ({error.reason}).") from error
        return "/".join(filter(None, (told["subfolder"], told["name"])))

    def queue(self, prompt: Json, workflow: Json | None = None) -> str:
        """Queue a prompt and return its id; raises Problem when ComfyUI refuses it.

        workflow: the page's format of the same, kept in the pictures it makes.
        """
        extra = {"extra_pnginfo": {"workflow": workflow}} if workflow else {}
        body = {"prompt": prompt, "client_id": self.id, "extra_data": extra}
        try:
            return str(self.post("/prompt", body)["prompt_id"])
        except urllib.error.HTTPError as error:
            raise refused(json.loads(error.read())) from error

    def history(self, prompt_id: str) -> Json | None:
        """What ComfyUI keeps of a prompt that has ended, or None when it has not."""
        entry = self.get(f"/history/{prompt_id}").get(prompt_id)
        return entry if isinstance(entry, dict) else None

    def interrupt(self) -> None:
        """Cancel what is running."""
        self.post("/interrupt", {})

    def connect(self) -> WebSocket:
        """The websocket of this client; open it before queueing, so that no event is lost."""
        url = f"{self.address.replace('http', 'ws', 1)}/ws?clientId={self.id}"
        return WebSocket(url)

    def events(self, socket: WebSocket, prompt_id: str) -> Iterator[tuple[str, Json]]:
        """ComfyUI's events of one prompt, as (type, data), until it has ended.

        Raises Problem when the connection ends before the prompt does.
        """
        for message in socket:
            event = json.loads(message)
            data = event.get("data") or {}
            if data.get("prompt_id") not in (None, prompt_id):
                continue
            yield event["type"], data
            if event["type"] == "executing" and data.get("node") is None:
                return
        raise Problem("ComfyUI ended before the run did.")


def refused(answer: Json) -> Problem:
    """The sentence for a prompt that ComfyUI did not take."""
    reasons = [
        f"{node['class_type']}: {error['message']} ({error['details']})"
        for node in (answer.get("node_errors") or {}).values()
        for error in node["errors"]
    ]
    message = (answer.get("error") or {}).get("message", "no reason given")
    return Problem(f"ComfyUI refused the workflow. {' '.join(reasons) or message}")
