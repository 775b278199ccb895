"""Paths stay in their folder, and files are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from facet.engine.store.files import contained, write_atomic, write_json_atomic


@pytest.mark.parametrize("parts", [("..",), ("a", "..", "..", "b"), ("/etc/passwd",), ("a\0b",)])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="name"):
        contained(tmp_path / "root", *parts)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="outside"):
        contained(tmp_path / "root", "link", "file")


def test_a_folder_whose_name_begins_alike_is_outside(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outside"):
        contained(tmp_path / "root", "../root2/file")


def test_a_path_inside_is_given_back(tmp_path: Path) -> None:
    assert contained(tmp_path, "a", "b/../c") == tmp_path.resolve() / "a" / "c"
    assert contained(tmp_path) == tmp_path.resolve()


def test_writing_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_json_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json_atomic(tmp_path / "file.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []
