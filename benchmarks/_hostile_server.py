"""A real ComfyUI for hostile inputs: spoken to as a page does, watched by an audit hook."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import folder_paths

from ..launcher.comfyui import ComfyUI
from ..launcher.demo import HEADLESS
from ..launcher.server import Server, link_pack
from ..launcher.setup import Environment

ROOT = Path(__file__).resolve().parents[1]
SLOW = 8.0
"""Seconds after which a prompt is interrupted: it may be long, and has to obey."""
OBEYS = 20.0
HOOK = """
import os, sys, tempfile
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
INSIDE = tuple(map(os.path.realpath, {inside!r}))
LOG = {log!r}
NODE_CLASS_MAPPINGS = {{}}

def note(kind, path):
    path = os.path.realpath(os.fsdecode(path))
    if not path.startswith(INSIDE) and "__pycache__" not in path:
        with_hook[0] = False
        try:
            with open(LOG, "a") as log:
                log.write(kind + " " + path + chr(10))
        finally:
            with_hook[0] = True

with_hook = [True]

def hook(event, args):
    if not with_hook[0]:
        return
    if event == "open" and isinstance(args[0], (str, bytes)) and (args[2] or 0) & WRITES:
        note("write", args[0])
    elif event in ("os.remove", "os.rmdir", "os.mkdir", "os.rename", "shutil.rmtree"):
        if isinstance(args[0], (str, bytes, os.PathLike)):
            note(event, args[0])
    elif event == "pickle.find_class" and str(args[0]).split(".")[0] in ("os", "posix", "builtins"):
        note("pickle", "/pickle/" + str(args[0]) + "." + str(args[1]))

sys.addaudithook(hook)
"""


@dataclass(frozen=True)
class Outcome:
    """How a prompt ended. kind: done, refused, sentence, raw, cancelled, hang."""

    kind: str
    text: str = ""


class HostileServer:
    """A ComfyUI with the pack, in a base folder of its own; a context manager that stops it."""

    def __init__(self, base: Path, output: Path | None = None) -> None:
        self.base, self.output = base, output or base / "output"
        for name in ("custom_nodes", "input", "models", "user"):
            (base / name).mkdir(parents=True, exist_ok=True)
        link_pack(base / "custom_nodes" / "facet", ROOT)
        self.written = base / "written_outside.txt"
        # Devices and the processes' own folders are no files of anybody.
        inside = [str(base), str(self.output), "/dev/", "/proc/"]
        (base / "custom_nodes" / "audit.py").write_text(
            HOOK.format(inside=inside, log=str(self.written)), "utf-8"
        )
        environment = Environment(
            ComfyUI(Path(folder_paths.__file__).parent, None), Path(sys.executable)
        )
        self.server = Server(environment, base, base / "log.txt", self.output, options=HEADLESS)

    def __enter__(self) -> HostileServer:
        # What the system's libraries keep of their own, such as compiled kernels, stays inside too.
        os.environ |= {"TMPDIR": str(self.base), "XDG_CACHE_HOME": str(self.base / "cache")}
        self.server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.stop()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        process = self.server.process
        assert process is not None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    @property
    def memory(self) -> float:
        """What it holds, in MB."""
        assert self.server.process is not None
        status = Path(f"/proc/{self.server.process.pid}/statm")
        pages = int(status.read_text().split()[1]) if status.is_file() else 0
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def outside(self) -> list[str]:
        """What was written, removed or unpickled outside of its folders."""
        return self.written.read_text().splitlines() if self.written.is_file() else []

    def ask(
        self, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status and the body that a request is answered by."""
        request = urllib.request.Request(self.server.address + path, data, headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def json(self, path: str) -> Any:
        """The JSON at ``path``."""
        return json.loads(self.ask(path)[1])

    def queue(self, prompt: dict[str, Any]) -> tuple[str, str]:
        """The id of a prompt that was taken, or '' and why it was not."""
        body = json.dumps({"prompt": prompt}).encode()
        status, answer = self.ask("/prompt", body, {"Content-Type": "application/json"})
        if status == 200:
            told = json.loads(answer)
            return told["prompt_id"], json.dumps(told.get("node_errors") or "")
        return "", f"{status} {answer[:300]!r}"

    def run(self, prompt: dict[str, Any], patience: float = SLOW) -> Outcome:
        """Queues a prompt and waits for its end; what takes long is cancelled."""
        name, why = self.queue(prompt)
        if not name:
            return Outcome("raw" if why.startswith("5") else "refused", why)
        began, cancelled = time.monotonic(), 0.0
        while True:
            entry = self.json(f"/history/{name}").get(name)
            if entry is not None:
                return outcome_of(entry)
            now = time.monotonic()
            if not cancelled and now - began > patience:
                self.ask("/interrupt", b"{}", {"Content-Type": "application/json"})
                cancelled = now
            if cancelled and now - cancelled > OBEYS:
                return Outcome("hang", f"after {now - began:.0f} s it does not obey")
            time.sleep(0.02)


def outcome_of(entry: dict[str, Any]) -> Outcome:
    """What /history says of a prompt that has ended."""
    for event, data in entry["status"]["messages"]:
        if event == "execution_interrupted":
            return Outcome("cancelled")
        if event == "execution_error":
            text = f"{data['node_type']}: {data['exception_type']}: {data['exception_message']}"
            if not data["node_type"].startswith("Facet"):
                return Outcome("refused", text)
            told = data["exception_type"].endswith("FacetError") and data[
                "exception_message"
            ].startswith("Facet ")
            return Outcome("sentence" if told else "raw", text)
    return Outcome("done")


def count(outcomes: list[Outcome]) -> Counter[str]:
    """How often each kind of end came."""
    return Counter(outcome.kind for outcome in outcomes)


def empty(folder: Path) -> None:
    """Leaves an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
