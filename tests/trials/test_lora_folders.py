"""Folders of LoRAs that cannot be written to, or are not there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import folder_paths
import pytest

from facet.nodes.common.lora_files import why_there, writable_lora_folder


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has ComfyUI look for LoRAs in folders of these names; ``refused`` are read-only."""

    def look_in(*names: str, missing: tuple[str, ...] = (), refused: tuple[str, ...] = ()) -> None:
        folders = [tmp_path / name for name in names]
        for folder in folders:
            if folder.name not in missing:
                folder.mkdir()
        known = ([str(folder) for folder in folders], folder_paths.supported_pt_extensions)
        monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", known)
        monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
        write = tempfile.mkstemp

        def mkstemp(*_: Any, dir: Path, **given: Any) -> Any:
            if set(refused) & set(Path(dir).relative_to(tmp_path).parts):
                raise PermissionError(30, "Read-only file system")
            return write(dir=dir, **given)

        monkeypatch.setattr(tempfile, "mkstemp", mkstemp)

    return look_in


def found(tmp_path: Path) -> tuple[str, str]:
    """Where a LoRA goes, and what is said of it."""
    folder = writable_lora_folder().resolve()
    return folder.relative_to(tmp_path).as_posix(), why_there(folder / "Ada" / "run.safetensors")


def test_the_first_folder_is_taken_and_nothing_is_said(roots: Any, tmp_path: Path) -> None:
    roots("one", "two")
    assert found(tmp_path) == ("one/facet", "")
    assert list((tmp_path / "one").iterdir()) == []  # only tried


@pytest.mark.parametrize("given", [{"refused": ("one",)}, {"missing": ("one",)}])
def test_a_folder_that_is_read_only_or_not_there_is_passed_over(
    roots: Any, tmp_path: Path, given: dict[str, Any]
) -> None:
    roots("one", "two", **given)
    place, said = found(tmp_path)
    assert place == "two/facet"
    assert said == (
        f"{tmp_path / 'one'} is not there or cannot be written to, so it is in the next folder."
    )


def test_a_folder_that_is_a_file_is_passed_over(roots: Any, tmp_path: Path) -> None:
    roots("one", "two", missing=("one",))
    (tmp_path / "one").write_bytes(b"")
    assert found(tmp_path)[0] == "two/facet"


def test_the_only_folder_is_made(roots: Any, tmp_path: Path) -> None:
    roots("one", missing=("one",))
    assert found(tmp_path) == ("one/facet", "")


def test_where_no_folder_can_be_written_to_the_lora_stays_in_the_output(
    roots: Any, tmp_path: Path
) -> None:
    roots("one", "two", refused=("one", "two"))
    place, said = found(tmp_path)
    assert place == "output/loras/facet" and "copy it to one of them" in said


def test_a_folder_that_is_a_link_is_written_through(roots: Any, tmp_path: Path) -> None:
    roots("one")
    (tmp_path / "store").mkdir()
    (tmp_path / "one" / "facet").symlink_to(tmp_path / "store")
    assert found(tmp_path) == ("store", "")
