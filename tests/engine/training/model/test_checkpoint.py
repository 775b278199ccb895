"""Blocks that run again in the backward pass: the same gradient, or a refusal."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from facet.engine.training.model.checkpoint import WrongGradient, checkpointed
from facet.engine.training.model.exact import OutOfPlace


class Block(torch.nn.Module):
    """A residual around tanh, whose backward pass needs its result."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([0.5, -1.0, 2.0]))

    def forward(self, x: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
        options["runs"].append(options["index"])
        hidden = torch.tanh(x * self.weight)
        x += hidden * (1 + options["index"])
        return x


class Overwriting(Block):
    """Writes over a part of what tanh has kept, as a slice that stays in place."""

    def forward(self, x: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
        hidden = torch.tanh(x * self.weight)
        hidden[:1] *= 2
        return x + hidden.square()


def gradients(blocks: list[Block], checkpoint: bool, spoil: bool = False) -> list[torch.Tensor]:
    x = torch.tensor([[1.0, 2.0, 3.0], [0.1, 0.2, 0.3]], requires_grad=True)
    options: dict[str, Any] = {"runs": []}
    with checkpointed(blocks if checkpoint else []), OutOfPlace():
        hidden = x * 1
        for index, block in enumerate(blocks):
            options["index"] = index
            given, hidden = hidden, block(hidden, options)
            if spoil:
                with torch.no_grad():
                    given.add_(1)
        loss = hidden.square().sum()
    loss.backward()
    return [x.grad, *(block.weight.grad for block in blocks)]  # type: ignore[list-item]


def test_the_gradient_is_that_of_a_run_without() -> None:
    plain = gradients([Block(), Block()], False)
    again = gradients([Block(), Block()], True)
    assert all(map(torch.equal, plain, again))


def test_a_block_sees_the_options_that_it_saw_first() -> None:
    """Models note in one dictionary which block they are at, for patches to read."""
    blocks = [Block(), Block(), Block()]
    options: dict[str, Any] = {"runs": []}
    x = torch.ones(1, 3, requires_grad=True)
    with checkpointed(blocks):
        for index, block in enumerate(blocks):
            options["index"] = index
            with OutOfPlace():
                x = block(x, options)
        x.sum().backward()
    assert options["runs"] == [0, 1, 2, 2, 1, 0]


def test_a_block_that_writes_over_what_backward_needs_is_refused() -> None:
    """PyTorch's own checkpoint gives a wrong gradient here, without a word."""
    with pytest.raises(WrongGradient, match=r"Overwriting writes over .* turn gradient_check"):
        gradients([Overwriting()], True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        gradients([Overwriting()], False)


def test_an_input_that_is_written_over_later_is_refused() -> None:
    with pytest.raises(WrongGradient, match="is written over later"):
        gradients([Block(), Block()], True, spoil=True)


def test_only_the_input_is_kept() -> None:
    kept = []

    class Wide(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            wide = x.repeat(1, 100).exp()
            kept.append(wide.data_ptr())
            return (wide * wide).sum(1, keepdim=True)

    x = torch.ones(2, 1, requires_grad=True)
    alive = []
    block = Wide()
    with checkpointed([block]):
        y = block(x)
        node = y.grad_fn
        while node is not None:
            alive += [name for name in dir(node) if name.startswith("_raw_saved")]
            node = node.next_functions[0][0] if node.next_functions else None
        (gradient,) = torch.autograd.grad(y.sum(), x)
    assert alive and len(kept) == 2
    assert gradient.allclose(200 * x.detach().mul(2).exp())


def test_without_gradients_a_block_runs_once() -> None:
    block = Block()
    options: dict[str, Any] = {"runs": [], "index": 0}
    with checkpointed([block]), torch.no_grad():
        block(torch.ones(1, 3), options)
    assert options["runs"] == [0]
