"""ComfyUI on the path and the pack as `facet`, before any test module is imported."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

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
def comfy(node_ids: list[str], tmp_path: Path) -> Iterator[object]:
    """ComfyUI in this process, with input and output folders of its own: see `harness.executor`."""
    from harness.executor import Executor

    with Executor(tmp_path) as executor:
        yield executor
