"""pip's failures become one sentence each."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from facet.launcher.pip import Pip, explain, large_download
from facet.launcher.places import venv_python
from facet.launcher.problem import Problem
from facet.launcher.setup import lines_step, make_venv


def wheel(folder: Path, name: str) -> None:
    """A package with one empty module, as a wheel."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        file.writestr(f"{info}/WHEEL", tags)
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def dead_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package index that nobody answers at, and nothing else to install from."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)


@pytest.mark.usefixtures("dead_index")
def test_no_network_is_one_sentence_with_what_to_do(tmp_path: Path) -> None:
    pip = Pip(Path(sys.executable), tmp_path / "pip.log", tmp_path / "tmp")
    with pytest.raises(Problem) as caught:
        pip.run("install", "--target", str(tmp_path / "t"), "no-such-package-x", what="the thing")
    assert str(caught.value) == (
        "The package index cannot be reached, and the thing is not on this machine yet. "
        "Connect to the internet and run the same command again."
    )
    assert "127.0.0.1" in (tmp_path / "pip.log").read_text()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "another file"),
        ("ERROR: No matching distribution found for torch==2.11.0", "has no torch"),
        ("noise\nERROR: broken metadata\n", "broken metadata"),
    ],
)
def test_each_failure_has_its_own_sentence(output: str, sentence: str) -> None:
    assert sentence in str(explain(output, "torch", Path("pip.log")))


def test_large_downloads_are_shown_and_small_ones_not() -> None:
    assert large_download("  Downloading torch-2.11.0.whl (530.6 MB)\n") == (
        "torch-2.11.0.whl  530.6 MB"
    )
    assert large_download("  Downloading einops-0.8.whl (65 kB)") is None
    assert large_download("  Downloading tqdm-4.whl (1.2 MB)") is None


@pytest.mark.usefixtures("dead_index")
def test_requirements_are_installed_line_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    wheel(tmp_path, "facet_first")
    wheel(tmp_path, "facet_second")
    listed = tmp_path / "requirements.txt"
    listed.write_text("# two packages\nfacet_first>=1\n\nfacet_second\n")
    make_venv(tmp_path / "venv", Path(sys.executable), borrowed=False)
    pip = Pip(venv_python(tmp_path / "venv"), tmp_path / "pip.log", tmp_path / "tmp")
    step = lines_step("two packages", listed, tmp_path / "stamps", pip)
    step.complete()
    assert step.done
    calls = [line for line in pip.log.read_text().splitlines() if line.startswith("$")]
    assert [call.split(" install ")[1].split()[0] for call in calls] == [
        "facet_first>=1",
        "facet_second",
    ]
