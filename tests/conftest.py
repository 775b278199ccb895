"""ComfyUI on the path and the pack as `facet`, before any test module is imported."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from facet.launcher.setup import Environment
    from harness.browser import Browser, Page
    from harness.comfy_server import ComfyServer
    from harness.executor import Executor

ROOT = Path(__file__).resolve().parents[1]
COMFYUI = Path(os.environ.get("COMFYUI_PATH") or ROOT / ".facet" / "ComfyUI")
BASE = Path(tempfile.mkdtemp(prefix="facet-tests-"))


def load_launcher() -> ModuleType:
    """`launcher/inprocess.py` by its path: the pack it would be imported from is not loaded yet."""
    spec = importlib.util.spec_from_file_location("inprocess", ROOT / "launcher" / "inprocess.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if not (COMFYUI / "comfyui_version.py").is_file():
    raise pytest.UsageError(
        f"There is no ComfyUI in {COMFYUI}; run `python facet.py test`, or set COMFYUI_PATH."
    )

inprocess = load_launcher()
inprocess.load_comfyui(COMFYUI, BASE)

import nodes  # noqa: E402

# Test modules in tests/nodes/ are called `nodes.test_…`. pytest would put an empty package of that
# name in the place of ComfyUI's module, unless the module looks like a package itself.
nodes.__path__ = []

PACK = inprocess.declare_pack(ROOT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright keeps an event loop running in this thread, where ComfyUI's executor needs none.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_unconfigure() -> None:
    shutil.rmtree(BASE, ignore_errors=True)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the pack."""
    return ROOT


@pytest.fixture(scope="session")
def comfyui() -> Path:
    """The folder of the ComfyUI that the tests run in."""
    return COMFYUI


@pytest.fixture(scope="session")
def node_ids() -> list[str]:
    """Ids of the pack's nodes, registered with the ComfyUI in this process."""
    return inprocess.start_comfyui(PACK)


@pytest.fixture
def comfy(node_ids: list[str], tmp_path: Path) -> Iterator[Executor]:
    """ComfyUI in this process, with input and output folders of its own: see `harness.executor`."""
    from harness.executor import Executor

    with Executor(tmp_path) as executor:
        yield executor


@pytest.fixture(scope="session")
def environment() -> Environment:
    """The ComfyUI and the Python that the tests run in, as the launcher knows them."""
    from facet.launcher.comfyui import ComfyUI
    from facet.launcher.setup import Environment

    return Environment(ComfyUI(COMFYUI, None), Path(sys.executable))


@pytest.fixture(scope="session")
def server(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyServer]:
    """A ComfyUI process with the pack in it, one for the whole session."""
    from facet.launcher.demo import HEADLESS
    from facet.launcher.places import Home
    from facet.launcher.server import Server, make_base
    from harness.comfy_server import ComfyServer

    home = Home(tmp_path_factory.mktemp("server"))
    base = make_base(home, environment, ROOT)
    with Server(environment, base, home.logs / "server.log", options=HEADLESS) as running:
        yield ComfyServer(running)


@pytest.fixture(scope="session")
def info(server: ComfyServer, node_ids: list[str]) -> dict[str, Any]:
    """What /object_info says of the pack's nodes."""
    everything = server.client.get("/object_info")
    return {node: everything[node] for node in node_ids}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole session."""
    from harness.browser import Browser

    with Browser() as running:
        yield running


@pytest.fixture(params=[False, True], ids=["canvas", "vue"])
def page(request: pytest.FixtureRequest, browser: Browser, server: ComfyServer) -> Iterator[Page]:
    """ComfyUI's page, ready, in each of its two renderers; see `harness.browser.Page`."""
    with browser.open(server, vue=request.param) as page:
        yield page
