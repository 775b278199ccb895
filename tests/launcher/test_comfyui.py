"""Which ComfyUI is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from facet.launcher.comfyui import find_comfyui, required_version
from facet.launcher.problem import Problem


def make_comfyui(folder: Path, version: str = "99.0.0") -> Path:
    (folder / "custom_nodes" / "facet").mkdir(parents=True)
    (folder / "main.py").write_text("")
    (folder / "comfyui_version.py").write_text(f'__version__ = "{version}"\n')
    return folder


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYUI_PATH", raising=False)


def pack(folder: Path) -> Path:
    """A pack that asks for ComfyUI 0.30."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text('requires-comfyui = ">=0.30.0"\n')
    return folder


def test_on_its_own_there_is_none(tmp_path: Path) -> None:
    assert find_comfyui(pack(tmp_path / "facet")) is None


def test_the_one_around_custom_nodes_is_used(tmp_path: Path) -> None:
    comfyui = make_comfyui(tmp_path / "ComfyUI")
    found = find_comfyui(pack(comfyui / "custom_nodes" / "facet"))
    assert found is not None
    assert found.folder == comfyui


def test_the_one_named_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    around, named = make_comfyui(tmp_path / "a"), make_comfyui(tmp_path / "b")
    monkeypatch.setenv("COMFYUI_PATH", str(named))
    found = find_comfyui(pack(around / "custom_nodes" / "facet"))
    assert found is not None
    assert found.folder == named


@pytest.mark.parametrize("place", ["venv/bin/python", ".venv/Scripts/python.exe"])
def test_its_own_python_is_found(tmp_path: Path, place: str) -> None:
    comfyui = make_comfyui(tmp_path / "ComfyUI")
    (comfyui / place).parent.mkdir(parents=True)
    (comfyui / place).write_text("")
    found = find_comfyui(pack(comfyui / "custom_nodes" / "facet"))
    assert found is not None
    assert found.python == comfyui / place


def test_the_portable_build_has_its_python_beside_it(tmp_path: Path) -> None:
    comfyui = make_comfyui(tmp_path / "ComfyUI")
    embedded = tmp_path / "python_embeded" / "python.exe"
    embedded.parent.mkdir()
    embedded.write_text("")
    found = find_comfyui(pack(comfyui / "custom_nodes" / "facet"))
    assert found is not None
    assert found.python == embedded


def test_one_that_is_too_old_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(make_comfyui(tmp_path, "0.9.1")))
    with pytest.raises(Problem, match=r"is 0\.9\.1 and Facet needs .* or newer; update it"):
        find_comfyui(pack(tmp_path / "facet"))


def test_a_folder_without_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(Problem, match="there is no ComfyUI in it"):
        find_comfyui()


def test_the_version_needed_is_the_one_in_pyproject(root: Path) -> None:
    assert f'requires-comfyui = ">={required_version()}"' in (root / "pyproject.toml").read_text()
