"""What a run finds when it comes back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from facet.engine.training.files.folder import open_run
from facet.engine.training.files.state import (
    STATE_FILE,
    RunProgress,
    load_progress,
    restore,
    save_state,
)
from facet.engine.training.model.lora import Adapter
from facet.engine.training.model.weights import Weights
from facet.engine.training.settings import OPTIMIZERS, TrainingSettings


def weights(seed: int = 0, **settings: object) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    down = torch.nn.Parameter(torch.randn(2, 5, generator=generator))
    up = torch.nn.Parameter(torch.randn(3, 2, generator=generator))
    values = {"lora_down.weight": down, "lora_up.weight": up}
    return Weights.starting([Adapter("blocks.0.linear", values, 2.0)], TrainingSettings(**settings))


def step(of: Weights, value: float) -> None:
    for parameter in of.parameters:
        parameter.grad = torch.full_like(parameter, value)
    of.optimizer.step()
    of.average_in(0.5)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weights_come_back_bit_for_bit(tmp_path: Path, optimizer: str) -> None:
    """Whatever the optimizer remembers; over enough steps for one that finds its own rate."""
    one = weights(optimizer=optimizer, steps=100)
    for value in (0.3, -0.1, 0.7):
        step(one, value)
    save_state(tmp_path, one, RunProgress("f", (0.5,)))
    other = weights(seed=1, optimizer=optimizer, steps=100)
    restore(tmp_path, other)
    assert load_progress(tmp_path) == RunProgress("f", (0.5,))
    before = [value.detach().clone() for value in one.parameters]
    for value in (-0.2, 0.4, -0.6):
        step(one, value)
        step(other, value)
    pairs = zip(one.parameters + one.average, other.parameters + other.average, strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    moved = zip(before, one.parameters, strict=True)
    assert not any(torch.equal(a, b) for a, b in moved)


def test_the_averaged_values_are_in_place_for_a_while(tmp_path: Path) -> None:
    one = weights()
    step(one, 1.0)
    trained = [value.detach().clone() for value in one.parameters]
    average = [value.clone() for value in one.average]
    with one.averaged_in_place():
        assert all(map(torch.equal, one.parameters, average))
    assert all(map(torch.equal, one.parameters, trained))
    assert all(map(torch.equal, one.average, average))


def test_a_damaged_state_gives_way_to_the_one_before(tmp_path: Path) -> None:
    one = weights()
    step(one, 0.3)
    kept = [value.detach().clone() for value in one.parameters]
    save_state(tmp_path, one, RunProgress("f", (0.5,)))
    step(one, 0.3)
    save_state(tmp_path, one, RunProgress("f", (0.5, 0.4)))
    (tmp_path / STATE_FILE).write_bytes(b"torn")
    assert load_progress(tmp_path) == RunProgress("f", (0.5,))
    restore(tmp_path, one)
    assert all(map(torch.equal, one.parameters, kept))


def test_the_average_trails_the_weights() -> None:
    one = weights()
    before = [value.clone() for value in one.average]
    step(one, 1.0)
    for old, new, average in zip(before, one.parameters, one.average, strict=True):
        assert torch.allclose(average, (old + new) / 2)


@pytest.mark.parametrize("data", [b"", b"not a file of tensors", b"\x00" * 64])
def test_a_damaged_state_is_said_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / STATE_FILE).write_bytes(data)
    with pytest.raises(ValueError, match="cannot be read; delete its folder, or give another"):
        open_run(tmp_path, "run", "f", 10)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    assert open_run(tmp_path, "run", "f", 10).folder.name == "run_2"


def test_fewer_steps_are_another_run(tmp_path: Path) -> None:
    one = weights()
    step(one, 0.1)
    save_state(tmp_path / "run", one, RunProgress("f", (0.5, 0.4)))
    assert open_run(tmp_path, "run", "f", 2).folder.name == "run"
    assert open_run(tmp_path, "run", "f", 1).folder.name == "run_2"
