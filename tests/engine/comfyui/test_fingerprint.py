"""What tells one model, LoRA or file from another."""

from pathlib import Path

import torch

from facet.engine.comfyui.fingerprint import file_state, lora_fingerprint


def test_every_value_of_a_lora_counts():
    weights = {"up": torch.zeros(64, 64), "down": torch.zeros(4, dtype=torch.bfloat16)}
    other = {**weights, "up": weights["up"].clone()}
    assert lora_fingerprint(weights) == lora_fingerprint(dict(reversed(other.items())))
    other["up"][33, 7] = 1e-6
    assert lora_fingerprint(weights) != lora_fingerprint(other)


def test_a_file_that_is_gone_has_no_state(tmp_path: Path):
    assert file_state(tmp_path / "gone") == ""
