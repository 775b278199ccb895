"""Packages that are taken apart are fetched by hash, once, and their absence is a sentence."""

from __future__ import annotations

import hashlib
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from facet.launcher import packages as module
from facet.launcher.packages import Package, packages
from facet.launcher.pip import Pip
from facet.launcher.places import Home
from facet.launcher.problem import Problem
from facet.launcher.setup import Step, do

WHEEL = Package("PyPI", "thing", "1.0", "", "", "", file="thing-1.0-py3-none-any.whl")


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pip:
    """pip without an index; packages come from `links`."""
    (tmp_path / "links").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    return Pip(Path(sys.executable), tmp_path / "pip.log", tmp_path / "tmp")


def wheel(folder: Path) -> str:
    """The smallest wheel there can be, in ``folder``; its sha256."""
    info = "thing-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL.file, "w") as file:
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        file.writestr(f"{info}/WHEEL", tags)
        file.writestr(f"{info}/RECORD", "")
    return hashlib.sha256((folder / WHEEL.file).read_bytes()).hexdigest()


def test_a_package_is_fetched_once_by_its_hash(tmp_path: Path, pip: Pip) -> None:
    wanted = replace(WHEEL, sha256=wheel(tmp_path / "links"))
    wanted.fetch(tmp_path / "downloads", pip)
    there = tmp_path / "downloads" / WHEEL.file
    assert there.is_file()
    shutil.rmtree(tmp_path / "links")
    wanted.fetch(tmp_path / "downloads", pip)
    assert there.is_file()


def test_another_file_of_that_name_is_refused(
    tmp_path: Path, pip: Pip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel(tmp_path / "links")
    with pytest.raises(Problem, match=r"another file for thing==1\.0"):
        replace(WHEEL, sha256="0" * 64).fetch(tmp_path / "downloads", pip)
    assert not list((tmp_path / "downloads").iterdir())


def test_without_a_network_a_package_is_named(tmp_path: Path, pip: Pip) -> None:
    with pytest.raises(Problem, match=r"thing==1\.0 is not on this machine yet"):
        replace(WHEEL, sha256="0" * 64).fetch(tmp_path / "downloads", pip)


def test_without_npm_its_packages_are_named(
    tmp_path: Path, pip: Pip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem, match=r"thing@1\.0 is fetched by npm"):
        replace(WHEEL, registry="npm").fetch(tmp_path / "downloads", pip)


@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")
def test_without_a_network_npm_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(Problem, match=r"npm's registry cannot be reached, and thing@1\.0"):
        module.pack("thing@1.0", tmp_path / "downloads")


def test_the_rest_is_set_up_without_what_is_optional(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise Problem("There is no network.")

    later = Step("later", tmp_path / "later", "key", lambda: None)
    do([Step("extra", tmp_path / "extra", "key", fail, optional=True), later], Home(tmp_path))
    assert later.done and "left out: There is no network." in capsys.readouterr().out
    with pytest.raises(Problem, match="no network"):
        do([Step("extra", tmp_path / "extra", "key", fail)], Home(tmp_path))


def test_every_package_of_the_table_is_pinned() -> None:
    for package in packages():
        installed = package.name == "scikit-image"
        assert bool(package.file) is not installed, package.name
        assert installed or (len(package.sha256) == 64 and package.size > 1e6), package.name
        assert package.what and package.licence and package.origin, package.name
