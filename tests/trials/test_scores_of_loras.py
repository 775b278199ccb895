"""A score goes with its LoRA, and other people's files stay as they are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import folder_paths
import pytest
import torch
from safetensors.torch import save, save_file

from facet.engine.comfyui.lora import read_lora
from facet.engine.comfyui.lora_score import ANY, BESIDE, OFF, OWN, SCORE
from facet.engine.store.tensors import read_tensors, write_tensors
from facet.nodes.scoring.scorer import write_stamp

LONG_AGO = 1_600_000_000_123_456_789
MINE = {"facet.dataset_hash": "d" * 8, "facet.settings": "{}", "facet.step": "20"}


def weights(seed: int = 0) -> dict[str, torch.Tensor]:
    drawn = torch.randn(4, 8, generator=torch.Generator().manual_seed(seed))
    return {"b.lora_up.weight": drawn, "a.lora_down.weight": drawn.half().T.contiguous()}


def put(path: Path, seed: int = 0, **metadata: str) -> Path:
    """A LoRA file as the library writes it, of long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights(seed), path, metadata)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return path


def card(path: Path, verdict: str = "good") -> Any:
    """As much of a score as goes with a LoRA."""
    return SimpleNamespace(
        best=SimpleNamespace(path=str(path)),
        calibration=SimpleNamespace(problem=""),
        stamp=lambda: json.dumps({"verdict": verdict, "similarity": [0.8, 0.7, 0.9, 12]}),
    )


def verdict_of(path: Path) -> str | None:
    told = read_lora(path).metadata.get(SCORE)
    return None if told is None else json.loads(told)["verdict"]


def data_of(path: Path) -> bytes:
    """Everything but the metadata: the table of tensors, and their bytes."""
    content = path.read_bytes()
    length = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:length])
    header.pop("__metadata__")
    return json.dumps(header).encode() + content[length:]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    output, loras = tmp_path / "output", tmp_path / "loras"
    monkeypatch.setattr(folder_paths, "output_directory", str(output))
    listed = ([str(loras)], folder_paths.supported_pt_extensions)
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", listed)
    return output, loras


@pytest.mark.parametrize("place", [OWN, ANY])
def test_facets_own_lora_says_its_score_and_nothing_else_of_it_changes(
    tmp_path: Path, place: str
) -> None:
    path = put(tmp_path / "mine.safetensors", **MINE, ss_output_name="mine é")
    before = data_of(path)
    write_stamp(card(path), place)
    assert verdict_of(path) == "good" and data_of(path) == before
    metadata = read_tensors(path)[1]
    assert metadata == {**MINE, "ss_output_name": "mine é", SCORE: metadata[SCORE]}
    assert path.stat().st_mtime_ns == LONG_AGO
    assert [one.name for one in tmp_path.iterdir()] == ["mine.safetensors"]


@pytest.mark.parametrize("name", ["theirs.v1.safetensors", "theirs.pt", "theirs.sft"])
@pytest.mark.parametrize("place", [OWN, BESIDE])
def test_a_strangers_lora_stays_byte_for_byte_and_its_score_is_read_beside_it(
    tmp_path: Path, name: str, place: str
) -> None:
    path = tmp_path / name
    if name.endswith(".pt"):
        torch.save(weights(), path)
    else:
        path.write_bytes(save(weights(), {"ss_output_name": "theirs", "a": "b", "z": "y"}))
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    before = path.read_bytes()
    write_stamp(card(path), place)
    assert path.read_bytes() == before and path.stat().st_mtime_ns == LONG_AGO
    assert path.with_suffix(".facet.json").is_file()
    assert verdict_of(path) == "good"
    write_stamp(card(path, "better"), place)
    assert verdict_of(path) == "better"


def test_a_score_beside_a_lora_is_not_that_of_another_in_its_place(tmp_path: Path) -> None:
    path = put(tmp_path / "theirs.safetensors")
    write_stamp(card(path))
    put(path, seed=1)
    assert verdict_of(path) is None


@pytest.mark.parametrize(
    "content", ["", "null", "[1]", "{}", '{"weights": 7}', "[" * 100_000, "1" * 5000, "\x00"]
)
def test_a_file_beside_a_lora_that_is_something_else_is_passed_over_and_kept(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = put(tmp_path / "theirs.safetensors")
    beside = path.with_suffix(".facet.json")
    beside.write_text(content)
    assert verdict_of(path) is None
    write_stamp(card(path))
    assert beside.read_text() == content
    assert "theirs.facet.json holds something else; move it away" in caplog.text


def test_a_strangers_lora_is_written_to_when_its_owner_asks(tmp_path: Path) -> None:
    path = put(tmp_path / "theirs.safetensors", ss_output_name="theirs")
    before = data_of(path)
    write_stamp(card(path))
    write_stamp(card(path, "asked"), ANY)
    assert data_of(path) == before and path.stat().st_mtime_ns == LONG_AGO
    assert json.loads(read_tensors(path)[1][SCORE])["verdict"] == "asked" == verdict_of(path)
    assert not path.with_suffix(".facet.json").exists()  # one score, not two


def test_nothing_is_written_when_it_is_off(tmp_path: Path) -> None:
    path = put(tmp_path / "mine.safetensors", **MINE)
    before = path.read_bytes()
    write_stamp(card(path), OFF)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_links_to_a_lora_stay_links_and_all_of_them_have_the_score(tmp_path: Path) -> None:
    real = put(tmp_path / "store" / "x.safetensors", **MINE)
    real.chmod(0o640)
    soft, hard = tmp_path / "soft.safetensors", tmp_path / "hard.safetensors"
    soft.symlink_to(real)
    os.link(real, hard)
    write_stamp(card(soft))
    assert soft.is_symlink() and hard.samefile(real) and real.stat().st_mode & 0o777 == 0o640
    assert [verdict_of(path) for path in (real, soft, hard)] == ["good"] * 3
    assert real.stat().st_mtime_ns == LONG_AGO


def test_the_lora_in_the_lora_folder_gets_the_score_of_the_checkpoint_it_is_a_copy_of(
    folders: tuple[Path, Path],
) -> None:
    output, loras = folders
    run = output / "facet" / "Ada" / "training" / "run"
    scored = put(run / "run_000020.safetensors", **MINE)
    earlier = put(run / "run_000010.safetensors", seed=1, **{**MINE, "facet.step": "10"})
    copy = put(loras / "facet" / "Ada" / "run.safetensors", **MINE, **{"facet.identity": "0.5"})
    others = [
        earlier,
        put(loras / "facet" / "other.safetensors", seed=2, **MINE),
        put(loras / "facet" / "theirs.safetensors"),
        put(loras / "moved.safetensors", **MINE),
    ]
    (loras / "facet" / "broken.safetensors").write_bytes(b"no tensors")
    write_stamp(card(scored))
    assert verdict_of(copy) == verdict_of(scored) == "good"
    assert copy.stat().st_mtime_ns == LONG_AGO
    assert [verdict_of(path) for path in others] == [None] * 4
    write_stamp(card(copy, "by its name"))
    assert verdict_of(scored) == "by its name", "else the next training would take it back"


def test_what_says_its_score_already_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "mine.safetensors", **MINE)
    write_stamp(card(path))
    tensors, metadata = read_tensors(path)
    monkeypatch.setattr("facet.engine.store.tensors.write_atomic", None)
    write_stamp(card(path))
    write_tensors(path, tensors, metadata)  # as the trainer does when it is run once more
    assert verdict_of(path) == "good" and path.stat().st_mtime_ns == LONG_AGO
