"""Each optimizer that can be chosen learns, and goes on from a saved state as if never stopped."""

from __future__ import annotations

import sys

import pytest
import torch

from facet.engine.store.packing import pack_optimizer, unpack_optimizer
from facet.engine.training.objective.optimizers import learning_rate_at, make, set_learning_rate
from facet.engine.training.settings import OPTIMIZERS, TrainingSettings


class Fit:
    """A LoRA, large enough for 8 bits, that is to become a given matrix, from a start at zero."""

    def __init__(self, optimizer: str) -> None:
        generator = torch.Generator().manual_seed(1)
        self.settings = TrainingSettings(
            steps=200, optimizer=optimizer, learning_rate=1e-2, warmup=0.02, weight_decay=0.0
        )
        wanted = torch.randn(96, 4, generator=generator) @ torch.randn(4, 80, generator=generator)
        self.wanted = wanted / wanted.norm()
        self.down = torch.nn.Parameter(0.1 * torch.randn(64, 80, generator=generator))
        self.up = torch.nn.Parameter(torch.zeros(96, 64))
        self.optimizer = make([self.down, self.up], self.settings)

    def train(self, start: int, end: int) -> float:
        """Takes the steps from ``start`` to ``end`` and returns the last loss."""
        for step in range(start, end):
            self.optimizer.zero_grad(set_to_none=True)
            loss = (self.up @ self.down - self.wanted).square().sum()
            loss.backward()
            set_learning_rate(self.optimizer, self.settings, step)
            self.optimizer.step()
        return float(loss)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_learns(name: str) -> None:
    assert Fit(name).train(0, 200) < 0.1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_saved_state_goes_on_bit_for_bit(name: str) -> None:
    whole, stopped, resumed = Fit(name), Fit(name), Fit(name)
    whole.train(0, 20)
    stopped.train(0, 10)
    packed, tensors = pack_optimizer(stopped.optimizer)
    resumed.down.data.copy_(stopped.down.data)
    resumed.up.data.copy_(stopped.up.data)
    unpack_optimizer(resumed.optimizer, packed, {key: t.clone() for key, t in tensors.items()})
    resumed.train(10, 20)
    assert torch.equal(resumed.down, whole.down)
    assert torch.equal(resumed.up, whole.up)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_text_encoder_has_a_rate_of_its_own(name: str) -> None:
    """Prodigy, which finds the rate itself, knows one for all."""
    settings = TrainingSettings(
        steps=9, optimizer=name, learning_rate=1e-2, text_encoder_rate=1e-3, weight_decay=0.0
    )
    model, text = (torch.nn.Parameter(torch.zeros(64, 64)) for _ in range(2))
    optimizer = make([model], settings, [text])
    gradient = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    for step in range(3):
        model.grad, text.grad = gradient.clone(), gradient.clone()
        set_learning_rate(optimizer, settings, step)
        optimizer.step()
    share = 1.0 if name == "Prodigy" else 0.1
    assert float(text.detach().norm() / model.detach().norm()) == pytest.approx(share, rel=0.01)


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_learning_rate_rises_and_falls(schedule: str) -> None:
    settings = TrainingSettings(steps=100, learning_rate=1e-3, warmup=0.1, schedule=schedule)
    rates = [learning_rate_at(settings, step) for step in range(100)]
    assert rates[0] == pytest.approx(1e-4)
    assert max(rates) == rates[10] == pytest.approx(1e-3)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 2e-5


def test_a_constant_learning_rate_stays() -> None:
    settings = TrainingSettings(steps=10, schedule="constant", warmup=0.0)
    assert {learning_rate_at(settings, step) for step in range(10)} == {1e-4}


def test_a_schedule_with_restarts_starts_anew() -> None:
    settings = TrainingSettings(
        steps=110, learning_rate=1e-3, warmup=10 / 110, schedule="cosine with restarts", restarts=4
    )
    rates = [learning_rate_at(settings, step) for step in range(110)]
    peaks = [i for i in range(10, 110) if rates[i] == pytest.approx(1e-3)]
    assert peaks == [10, 35, 60, 85]
    for start in peaks:
        assert rates[start : start + 25] == sorted(rates[start : start + 25], reverse=True)
        assert rates[start + 24] < 1e-5


def test_prodigy_takes_the_schedule_alone() -> None:
    settings = TrainingSettings(steps=10, optimizer="Prodigy", schedule="constant", warmup=0.0)
    assert {learning_rate_at(settings, step) for step in range(10)} == {1.0}


def test_eight_bits_are_kept_as_such() -> None:
    weight = torch.nn.Parameter(torch.randn(128, 64))
    optimizer = make([weight], TrainingSettings(steps=2, optimizer="AdamW 8-bit"))
    weight.grad = torch.randn(128, 64)
    optimizer.step()
    assert optimizer.state[weight]["state1"].dtype == torch.uint8


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("AdamW 8-bit", "bitsandbytes.optim", "bitsandbytes"),
        ("Prodigy", "pytorch_optimizer", "pytorch-optimizer"),
        ("Lion", "pytorch_optimizer", "pytorch-optimizer"),
    ],
)
def test_a_missing_library_is_named_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ModuleNotFoundError, match=f"pip install -U {package}"):
        Fit(name)
