from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from facet.engine.comfyui.lora import read_lora, read_weights


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_weights_and_metadata_come_out(tmp_path: Path, suffix: str):
    path = tmp_path / f"ada{suffix}"
    if suffix == ".pt":
        torch.save({"a": torch.ones(2), "epoch": 3}, path)
    else:
        save_file({"a": torch.ones(2)}, path, {"facet.character": "Ada"})
    weights, metadata = read_lora(path)
    assert list(weights) == list(read_weights(path)) == ["a"]
    assert torch.equal(weights["a"], torch.ones(2))
    assert metadata == ({} if suffix == ".pt" else {"facet.character": "Ada"})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.safetensors", b""),
        ("b.safetensors", b"\xff" * 100),
        ("c.safetensors", (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[4],"data'),
        ("d.pt", b"no pickle at all"),
        ("e.safetensors", (2).to_bytes(8, "little") + b"{}"),
        ("f.safetensors", b"junk" * 100),
        ("g.safetensors", (2**40).to_bytes(8, "little")),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path: Path, name: str, data: bytes):
    (tmp_path / name).write_bytes(data)
    sentence = rf"^{name} (cannot be read|holds no weights).*choose (another|a LoRA)\.$"
    with pytest.raises(ValueError, match=sentence):
        read_lora(tmp_path / name)


def test_a_file_that_is_gone_is_one_sentence(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^gone.safetensors cannot be read"):
        read_weights(tmp_path / "gone.safetensors")
