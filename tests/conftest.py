"""ComfyUI on the path and the pack as `facet`, before any test module is imported."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from facet.engine.core.character import Character
    from facet.engine.demo.models import DemoModels
    from facet.launcher.setup import Environment
    from facet.real_faces.models import RealFaces
    from harness.browser import Browser, Page, Pages
    from harness.comfy_server import ComfyServer
    from harness.executor import Executor

ROOT = Path(__file__).resolve().parents[1]
COMFYUI = Path(os.environ.get("COMFYUI_PATH") or ROOT / ".facet" / "ComfyUI")
BASE = Path(tempfile.mkdtemp(prefix="facet-tests-"))
BEGAN = time.monotonic()
gc.disable()  # until the tests are collected

if not (COMFYUI / "comfyui_version.py").is_file():
    raise pytest.UsageError(
        f"There is no ComfyUI in {COMFYUI}; run `python facet.py test`, or set COMFYUI_PATH."
    )

sys.path.append(str(ROOT))

from launcher import inprocess  # noqa: E402


def load() -> ModuleType:
    """ComfyUI and the pack in this process."""
    pack = inprocess.load(COMFYUI, BASE)
    import nodes

    # pytest calls a module of tests/nodes/ `nodes.test_…`, which is below the module that ComfyUI
    # has of that name; it would put a package of its own in that one's place, were it not one.
    nodes.__path__ = []
    return pack


# The process that only hands out the tests, as `facet.py test` starts it, needs nothing of it.
HANDS_OUT = bool(os.environ.get("FACET_WORKERS")) and not os.environ.get("PYTEST_XDIST_WORKER")
PACK = None if HANDS_OUT else load()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="the slow proofs too: docs/nightly.md")
    parser.addoption("--write-promise", action="store_true", help="see test_promise.py")
    parser.addoption("--durations-file", metavar="FILE", help="where the time that tests took goes")


@pytest.hookimpl(wrapper=True)  # ahead of xdist, which reads the groups first of all
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    if not config.option.nightly and "nightly" not in config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("nightly")]
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    dear = {group_of(item) for item in items if item.get_closest_marker("slow")}
    rank = {"server": 0, "narrow": 1}
    items.sort(
        key=lambda item: (
            rank.get(group_of(item), 2 if group_of(item) in dear else 3),
            place_of(item) if group_of(item) in rank else 0,
        )
    )
    return (yield)


def pytest_collection_finish() -> None:
    # ComfyUI collects garbage whenever a model is gone, and to look through all modules and tests
    # takes most of a second each time. None of them goes before the end.
    gc.collect()
    gc.freeze()
    gc.enable()


def place_of(item: pytest.Item) -> int:
    """Where a test stands among a server's: before its page is open, or in which renderer.

    The page that finds the first workflow done comes right after that run: ComfyUI keeps the
    outcome of one prompt. All others are on one side of the two, for a page takes long to open.
    """
    needed = set(getattr(item, "fixturenames", ()))
    if not needed & {"pages", "narrow_pages"}:
        return int(item.nodeid.startswith("test_start_here.py"))
    if "record" in needed:
        return 2
    # A page that was an app, or had many graphs in turn, is not laid out as before from then on.
    if any(part in item.name for part in ("as_an_app", "no_node_lies", "the_page_offers")):
        return 5
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return 3 if parameters.get("page", parameters.get("vue", True)) else 4


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    # A page that nobody looks at repaints all the same, on a quarter of a core.
    for name in ("pages", "narrow_pages"):
        needed = name in getattr(nextitem, "fixturenames", ())
        if not needed and name in getattr(item, "funcargs", {}):
            item.funcargs[name].close()


def group_of(item: pytest.Item) -> str:
    """Which tests run in one worker, one after another: those of a server, or of a file."""
    needed = getattr(item, "fixturenames", ())
    if "narrow_server" in needed:
        return "narrow"
    return "server" if {"server", "browser"} & set(needed) else item.nodeid.split("::")[0]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not config.option.durations_file:
        return
    seconds: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid] = seconds.get(report.nodeid, 0) + report.duration
    dearest = sorted(
        ((taken, test) for test, taken in seconds.items() if taken > 0.5), reverse=True
    )
    # Workers, servers and browsers have ended by now, and count as this process's children.
    wall, processor = time.monotonic() - BEGAN, sum(os.times()[:4])
    lines = [f"{wall:.0f} s, {processor:.0f} s of processor time, {len(seconds)} tests"]
    lines += [f"{taken:8.2f} s  {test}" for taken, test in dearest]
    file = Path(config.option.durations_file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*lines, ""]), "utf-8")


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
    assert PACK is not None
    return inprocess.start_comfyui(PACK)


@pytest.fixture
def comfy(node_ids: list[str], tmp_path: Path) -> Iterator[Executor]:
    """ComfyUI in this process, with input and output folders of its own: see `harness.executor`."""
    from harness.executor import Executor

    with Executor(tmp_path) as executor:
        yield executor


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of this run have in common: see `harness.shared.once`."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own


@pytest.fixture(scope="session")
def demo_models() -> DemoModels:
    """The demo's models; nobody changes them."""
    from facet.engine.demo.models import load_models

    return load_models()


@pytest.fixture(scope="session")
def demo_character() -> Character:
    """A person whom the demo models never saw, in ten true pictures: see `harness.demo_lora`."""
    from harness.demo_lora import PERSON, true_character

    return true_character(PERSON)


@pytest.fixture(scope="session")
def demo_lora(demo_models: DemoModels, demo_character: Character, shared: Path) -> Path:
    """The file of a LoRA of `demo_character`, trained once for all workers; nobody changes it."""
    from harness.demo_lora import trained_lora
    from harness.shared import once

    def train(folder: Path) -> None:
        trained_lora(demo_models, demo_character, folder)

    return next((once(shared / "demo_lora", train) / "loras").glob("*.safetensors"))


@pytest.fixture(scope="session")
def real_faces() -> RealFaces:
    """Real networks and photographs; skips where they were never fetched: see real_faces/."""
    from facet.real_faces.files import NotFetched
    from facet.real_faces.models import RealFaces

    try:
        return RealFaces.load()
    except NotFetched as missing:
        pytest.skip(str(missing))


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
    """A ComfyUI process with the pack as people install it, one for the whole session."""
    from facet.launcher.places import Home
    from facet.launcher.server import Server, make_base
    from harness.archive import unpacked
    from harness.comfy_server import ComfyServer, options, write_real_faces_node

    home = Home(tmp_path_factory.mktemp("server") / ".facet")
    base = make_base(home, environment, unpacked(ROOT, home.folder / "pack"))
    write_real_faces_node(base)
    with Server(environment, base, home.logs / "server.log", options=options()) as running:
        yield ComfyServer(running)


@pytest.fixture(scope="session")
def narrow_server(
    environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyServer]:
    """A ComfyUI that has narrow files of all the models that the workflows ask for."""
    from harness.narrow_server import running_server

    with running_server(environment, tmp_path_factory.mktemp("narrow")) as running:
        yield running


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


@pytest.fixture(scope="session")
def pages(browser: Browser, server: ComfyServer) -> Iterator[Pages]:
    """ComfyUI's page in each renderer, opened once for the whole session."""
    from harness.browser import Pages

    with Pages(browser, server) as opened:
        yield opened


@pytest.fixture(scope="session")
def narrow_pages(browser: Browser, narrow_server: ComfyServer) -> Iterator[Pages]:
    """The page of `narrow_server` in each renderer, opened once for the whole session."""
    from harness.browser import Pages

    with Pages(browser, narrow_server) as opened:
        yield opened


@pytest.fixture(params=[False, True], ids=["canvas", "vue"])
def page(request: pytest.FixtureRequest, pages: Pages) -> Page:
    """ComfyUI's page with an empty graph, in each of its two renderers: `harness.browser.Page`."""
    return pages.cleared(request.param)
