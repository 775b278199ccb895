"""Files that are links into a store, have several names, or an owner and rights of their own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from facet.engine.store import files
from facet.engine.store.files import write_atomic


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_is_written_through(tmp_path: Path, absolute: bool) -> None:
    store, shelf = tmp_path / "store", tmp_path / "loras"
    store.mkdir()
    shelf.mkdir()
    (store / "real").write_bytes(b"old")
    (store / "real").chmod(0o640)
    (store / "link").symlink_to("real")
    link = shelf / "a"
    link.symlink_to(store / "link" if absolute else Path("..", "store", "link"))
    write_atomic(link, b"new")
    assert link.is_symlink() and (store / "link").is_symlink()
    assert (store / "real").read_bytes() == b"new" and rights(store / "real") == 0o640
    assert names(store) == ["link", "real"] and names(shelf) == ["a"]


def test_a_link_in_the_way_there_is_followed(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "loras").symlink_to(tmp_path / "store")
    write_atomic(tmp_path / "loras" / "facet" / "a", b"new")
    assert (tmp_path / "store" / "facet" / "a").read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_a_file_keeps_its_rights(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new" and rights(path) == mode


def test_a_file_keeps_its_owner_where_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    given: list[tuple[int, int]] = []

    def chown(_: Path, user: int, group: int) -> None:
        given.append((user, group))
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(files.os, "chown", chown, raising=False)
    write_atomic(path, b"new")
    assert given == [(path.stat().st_uid, path.stat().st_gid)] and path.read_bytes() == b"new"


@pytest.mark.parametrize("data", [b"", b"n", b"much longer than the old"])
def test_a_file_of_several_names_stays_one_file(tmp_path: Path, data: bytes) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"old one")
    os.link(path, other)
    write_atomic(path, data)
    assert path.samefile(other) and other.read_bytes() == data
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("refused", [2, 3])
def test_a_disk_that_refuses_leaves_a_file_of_several_names_or_says_where_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"old")
    os.link(path, other)
    synced = []

    def fsync(handle: int) -> None:
        synced.append(handle)
        if len(synced) == refused:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left") as error:
        write_atomic(path, b"much longer")
    assert path.samefile(other)
    kept = [one for one in tmp_path.iterdir() if one.name not in "ab"]
    if refused == 2:  # while its room is taken
        assert other.read_bytes() == b"old" and not kept
    else:
        assert kept[0].read_bytes() == b"much longer" and str(kept[0]) in str(error.value)
