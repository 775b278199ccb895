"""facet.py as a person runs it: what it prints, its exit code, and what it leaves behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facet.launcher import cli
from facet.launcher.places import Home
from facet.launcher.server import Server, free_port, make_base, port_is_busy
from facet.launcher.setup import Environment
from harness.comfy_server import ComfyServer


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> Path:
    """The command in a folder of its own, with nothing set up."""
    folder = tmp_path / "facet"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "launcher", folder / "launcher", ignore=ignored)
    (folder / "tests" / "js").mkdir(parents=True)
    (folder / "real_faces").mkdir()
    own = (
        "facet.py",
        "pyproject.toml",
        "requirements.txt",
        "tests/requirements.txt",
        "real_faces/packages.json",
    )
    for name in (*own, "tests/js/package.json", "tests/js/package-lock.json"):
        shutil.copy(root / name, folder / name)
    return folder


def facet(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "COMFYUI_PATH"} | variables
    return subprocess.run(
        [sys.executable, "facet.py", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed command ends with."""
    assert done.returncode == 1, done.stderr + done.stdout
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("Facet: ")
    return line


def test_it_runs_on_the_standard_library_alone(clone: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, '.'); import facet"],
        cwd=clone,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_without_network_the_demo_is_one_sentence_and_leaves_no_half_step(clone: Path) -> None:
    offline = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "1",
        "PIP_NO_CACHE_DIR": "1",
    }
    done = facet(clone, "demo", **offline)
    assert sentence(done).startswith("Facet: The package index cannot be reached, and torch is not")
    assert "to download" in done.stdout
    assert not (clone / ".facet" / "ComfyUI").exists()
    assert {path.name for path in clone.iterdir()} == {
        ".facet",
        "facet.py",
        "launcher",
        "pyproject.toml",
        "real_faces",
        "requirements.txt",
        "tests",
    }


def test_a_comfyui_that_is_too_old_is_one_sentence(clone: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "main.py").write_text("")
    (old / "comfyui_version.py").write_text('__version__ = "0.3.75"\n')
    assert "is 0.3.75 and Facet needs" in sentence(facet(clone, "demo", COMFYUI_PATH=str(old)))
    assert not (clone / ".facet").exists()


def test_a_comfyui_path_without_one_is_one_sentence(clone: Path, tmp_path: Path) -> None:
    done = facet(clone, "serve", COMFYUI_PATH=str(tmp_path))
    assert "there is no ComfyUI in it" in sentence(done)


def test_the_doctor_says_what_is_missing_and_changes_nothing(clone: Path) -> None:
    done = facet(clone, "doctor")
    assert done.returncode == 1
    assert "!! ComfyUI 0.30.0" in done.stdout
    assert "python facet.py demo" in done.stdout
    assert "Free disk" in done.stdout
    assert not (clone / ".facet").exists()


def test_a_benchmark_that_is_not_there_is_one_sentence(clone: Path) -> None:
    assert "There is no benchmark 'x'" in sentence(facet(clone, "bench", "x"))


def test_an_unknown_option_is_refused(clone: Path) -> None:
    assert facet(clone, "demo", "--nonsense").returncode == 2


def test_a_busy_port_is_one_sentence(environment: Environment, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(environment, tmp_path, tmp_path / "log", port=port)
        with pytest.raises(cli.Problem, match=f"Port {port} is in use"):
            server.start()
    assert server.process is None


def test_a_comfyui_that_does_not_start_says_its_last_words(tmp_path: Path) -> None:
    from facet.launcher.comfyui import ComfyUI

    (tmp_path / "main.py").write_text("raise SystemExit('no luck today')")
    broken = Environment(ComfyUI(tmp_path, None), Path(sys.executable))
    server = Server(broken, tmp_path, tmp_path / "log")
    with pytest.raises(cli.Problem, match="did not start: no luck today"):
        server.start()


SERVES = """import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""
"""What stands in for ComfyUI where only its process matters."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_the_command_stops_comfyui(root: Path, tmp_path: Path, number: int) -> None:
    (tmp_path / "main.py").write_text(SERVES)
    port = free_port()
    script = (
        "import signal, sys; from pathlib import Path\n"
        # A shell that starts the tests in the background has them ignore SIGINT, and so would this.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"sys.path.insert(0, {str(root)!r})\n"
        "from launcher import serve, cli\n"
        "from launcher.comfyui import ComfyUI\n"
        "from launcher.places import Home\n"
        "from launcher.setup import Environment\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "ready = Environment(ComfyUI(folder, None), Path(sys.executable))\n"
        "serve.set_up = lambda home: ready\n"
        f"sys.exit(cli.main(['serve', '--port', '{port}'], Home(folder / '.facet')))\n"
    )
    command = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    while "Open http" not in command.stdout.readline():
        assert command.poll() is None
    assert port_is_busy(port)
    command.send_signal(number)
    command.wait(120)
    deadline = time.monotonic() + 120
    while port_is_busy(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not port_is_busy(port)


def test_the_set_up_links_the_pack_and_nothing_is_written_elsewhere(
    environment: Environment, server: ComfyServer
) -> None:
    base = server.server.base
    home = Home(base.parent)
    pack = (home.folder / "pack").resolve()  # where `conftest.server` has it
    assert make_base(home, environment, pack) == base == home.base
    assert (base / "custom_nodes" / "facet").resolve() == pack
    assert "FacetCharacter" in server.client.get("/object_info/FacetCharacter")
    assert [path.name for path in home.folder.parent.iterdir()] == [".facet"]
