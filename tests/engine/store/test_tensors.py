"""Safetensors files: read by the library as written, and written without a second copy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from facet.engine.store.tensors import _KINDS, read_tensors, write_tensors
from facet.launcher import inside


def drawn(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(len(shape))
    return (10 * torch.rand(shape, generator=generator)).to(dtype)


def test_the_library_reads_every_kind_as_it_was(tmp_path: Path) -> None:
    tensors = {f"{dtype}".removeprefix("torch."): drawn(dtype, 3, 5) for dtype in _KINDS}
    tensors |= {
        "empty": torch.zeros(0),
        "number": torch.tensor(3),
        "turned": drawn(torch.float32, 4, 6).t(),
    }
    write_tensors(tmp_path / "a.safetensors", tensors, {"zwei": "ä", "eins": "1"})
    read = load_file(tmp_path / "a.safetensors")
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype and read[name].shape == tensor.shape
        assert read[name].contiguous().view(-1).view(torch.uint8).tolist() == (
            tensor.contiguous().view(-1).view(torch.uint8).tolist()
        )
    assert read_tensors(tmp_path / "a.safetensors")[1] == {"eins": "1", "zwei": "ä"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_the_bytes_are_those_that_the_library_writes(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {f"layer.{n}.weight": drawn(dtype, n + 1, 7) for n in (11, 2, 0)}
    tensors["step"] = torch.tensor(7)
    write_tensors(tmp_path / "a.safetensors", tensors, {"only": "one"})
    assert (tmp_path / "a.safetensors").read_bytes() == save(tensors, {"only": "one"})


def test_a_file_that_holds_just_that_is_left_alone(tmp_path: Path) -> None:
    path, tensors = tmp_path / "a.safetensors", {"a": drawn(torch.float32, 9)}
    write_tensors(path, tensors, {"b": "c"})
    before = path.stat()
    write_tensors(path, tensors, {"b": "c"})
    assert path.stat().st_ino == before.st_ino
    write_tensors(path, {"a": tensors["a"] + 1}, {"b": "c"})
    assert path.stat().st_ino != before.st_ino


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count the peak otherwise")
def test_writing_takes_no_second_copy_of_all(root: Path, comfyui: Path, tmp_path: Path) -> None:
    more = inside.call(
        Path(sys.executable),
        comfyui,
        "harness.tensor_peak",
        "main",
        str(tmp_path / "state.safetensors"),
        cpu=True,
        quiet=True,
        PYTHONPATH=str(root / "tests"),
    )
    assert more < 0.2
