"""A ComfyUI of our own with the pack in it: started on a loopback port, and always stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from .places import ROOT, Home, sharing_cores
from .problem import Problem
from .setup import Environment

PORT_TAKEN = ("address already in use", "errno 98", "errno 48", "10048")
BOOT_SECONDS = 300


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_busy(port: int) -> bool:
    """Whether somebody answers on the loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def make_base(home: Home, environment: Environment, root: Path = ROOT) -> Path:
    """ComfyUI's base directory with the pack linked into its custom_nodes."""
    base = home.base
    for name in ("custom_nodes", "input", "models", "output", "user"):
        (base / name).mkdir(parents=True, exist_ok=True)
    example = environment.comfyui.folder / "input" / "example.png"
    if example.is_file() and not (base / "input" / "example.png").exists():
        shutil.copy(example, base / "input")
    link_pack(base / "custom_nodes" / "facet", root)
    return base


def link_pack(link: Path, root: Path) -> None:
    """Make `link` the folder `root`: a symbolic link, or on Windows a junction."""
    if link.exists() and link.resolve() == root:
        return
    if link.is_symlink():
        link.unlink()
    try:
        link.symlink_to(root, target_is_directory=True)
    except OSError:
        if os.name != "nt":
            raise
        # Windows wants a privilege for symbolic links and none for junctions.
        subprocess.run(
            ["cmd", "/c", "mklink", "/J", str(link), str(root)], check=True, capture_output=True
        )


def has_gpu(python: Path) -> bool:
    """Whether torch sees an accelerator."""
    devices = [Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg")]
    if sys.platform == "linux" and not any(device.exists() for device in devices):
        return False
    probe = "import torch; print(torch.cuda.is_available() or torch.backends.mps.is_available())"
    answer = subprocess.run(
        [str(python), "-c", probe], capture_output=True, text=True, check=False
    ).stdout
    return answer.strip() == "True"


class Server:
    """A running ComfyUI; a context manager that stops it.

    base: its base directory. output: where its nodes write, when not below the base.
    port: a fixed one; without it a free one is picked. options: more of ComfyUI's own.
    """

    def __init__(
        self,
        environment: Environment,
        base: Path,
        log: Path,
        output: Path | None = None,
        port: int | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self.environment = environment
        self.base = base
        self.log = log
        self.output = output or base / "output"
        self.wanted_port = port
        self.port = port or 0
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until it answers; raises Problem when the port is busy or it ends."""
        if self.wanted_port and port_is_busy(self.wanted_port):
            raise Problem(
                f"Port {self.wanted_port} is in use by another program; "
                "give another one with --port."
            )
        for _ in range(5):
            self.port = self.wanted_port or free_port()
            self.launch()
            if self.wait_until_ready():
                return
            self.stop()
            # Somebody else may have taken the port between the look and the start.
            if not any(sign in self.log_text().lower() for sign in PORT_TAKEN):
                break
        raise Problem(f"ComfyUI did not start: {self.last_words()} All of it: {self.log}")

    def launch(self) -> None:
        folder = self.environment.comfyui.folder
        command = [str(self.environment.python), str(folder / "main.py"), "--port", str(self.port)]
        command += ["--base-directory", str(self.base), "--output-directory", str(self.output)]
        command += ["--disable-auto-launch", *self.options]
        if not has_gpu(self.environment.python):
            command.append("--cpu")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.output.mkdir(parents=True, exist_ok=True)
        # A group of its own: Ctrl-C reaches this command first, which then stops the server.
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=sharing_cores(PYTHONUNBUFFERED="1", PYTHONIOENCODING="utf-8"),
                start_new_session=os.name != "nt",
                creationflags=flags,
            )

    def wait_until_ready(self) -> bool:
        """Whether it answered within the time for it, and is still running."""
        assert self.process is not None
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/system_stats", timeout=5) as answer:
                    json.load(answer)
                return self.process.poll() is None
            except (urllib.error.URLError, OSError, ValueError):
                time.sleep(0.2)
        return False

    def stop(self) -> None:
        """End the server, by force when it does not end within 10 s."""
        if self.process is None or self.process.poll() is not None:
            return
        if os.name == "nt":
            self.process.terminate()
        else:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def log_text(self) -> str:
        return self.log.read_text("utf-8", errors="replace") if self.log.is_file() else ""

    def last_words(self) -> str:
        """The last line that the server printed."""
        lines = [line.strip() for line in self.log_text().splitlines() if line.strip()]
        return lines[-1].rstrip(".") + "." if lines else "it said nothing."
