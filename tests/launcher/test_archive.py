"""The archive that carries ComfyUI is checked first, and unpacked whole or not at all."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from facet.launcher.archive import pick, sha256, unpack, verify
from facet.launcher.problem import Problem


def make_archive(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return path


def test_only_the_folder_asked_for_is_unpacked(tmp_path: Path) -> None:
    files = {"top-1/vendor/ComfyUI/comfy/a.py": b"a", "top-1/vendor/other": b"b", "top-1/c": b"c"}
    unpack(make_archive(tmp_path / "a.tgz", files), "vendor/ComfyUI", tmp_path / "ComfyUI")
    written = [p.relative_to(tmp_path / "ComfyUI") for p in (tmp_path / "ComfyUI").rglob("*.*")]
    assert written == [Path("comfy/a.py")]


@pytest.mark.parametrize(
    "name",
    ["t/vendor/ComfyUI/../../../x", "t/vendor/ComfyUI/..\\..\\x", "t/vendor/ComfyUI/C:x"],
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = make_archive(tmp_path / "a.tgz", {name: b"x"})
    with pytest.raises(Problem, match="not a plain file inside"):
        unpack(archive, "vendor/ComfyUI", tmp_path / "deep" / "ComfyUI")
    assert not list(tmp_path.rglob("x"))


def test_a_link_is_refused(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tgz", {}, {"t/vendor/ComfyUI/etc": "/etc"})
    with pytest.raises(Problem, match="not a plain file inside"):
        unpack(archive, "vendor/ComfyUI", tmp_path / "ComfyUI")


def test_a_truncated_archive_leaves_no_folder_behind(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tgz", {"t/vendor/ComfyUI/a": bytes(range(256)) * 4000})
    archive.write_bytes(archive.read_bytes()[:-2000])
    with pytest.raises(Problem, match="cannot be read as an archive"):
        unpack(archive, "vendor/ComfyUI", tmp_path / "ComfyUI")
    assert not (tmp_path / "ComfyUI").exists()


def test_unpacking_again_replaces_the_folder(tmp_path: Path) -> None:
    target = tmp_path / "ComfyUI"
    for name in ("old", "new"):
        archive = make_archive(tmp_path / f"{name}.tgz", {f"t/vendor/ComfyUI/{name}": b""})
        unpack(archive, "vendor/ComfyUI", target)
    assert [p.name for p in target.iterdir()] == ["new"]


def test_a_download_with_another_hash_is_deleted_and_said_so(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tgz", {"t/vendor/ComfyUI/a": b"a"})
    verify(archive, sha256(archive))
    with pytest.raises(Problem, match="damaged or not the one expected"):
        verify(archive, "0" * 64)
    assert not archive.exists()


def test_single_files_are_picked_out_of_a_zip_and_of_a_tar(tmp_path: Path) -> None:
    make_archive(tmp_path / "a.tgz", {"top/a": b"a", "top/b": b"b"})
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as zipped:
        zipped.writestr("top/a", b"a")
        zipped.writestr("top/b", b"b")
    for number, archive in enumerate(("a.tgz", "a.whl")):
        pick(tmp_path / archive, {"top/b": "mine"}, tmp_path / str(number))
        assert [file.name for file in (tmp_path / str(number)).iterdir()] == ["mine"]
        assert (tmp_path / str(number) / "mine").read_bytes() == b"b"


def test_a_file_that_is_not_in_the_archive_or_a_link_is_named(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "a.tgz", {"top/a": b"a"}, {"top/out": "/etc/passwd"})
    for member in ("top/none", "top/out"):
        with pytest.raises(Problem, match=member):
            pick(archive, {member: "x"}, tmp_path / "there")
        assert not (tmp_path / "there" / "x").exists()
