"""Muon for weight matrices with AdamW for the rest, and a rate that can stop at any time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Newton-Schulz coefficients, one (a, b, c) a step, of "The Polar Express" (Amsel et al. 2025).
_POLAR = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
)


def orthogonalise(matrices: Tensor) -> Tensor:
    """The nearest (semi-)orthogonal matrices: (N, rows, columns) float32 to the same shape."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).to(torch.bfloat16)
    x = x / (x.norm(dim=(1, 2), keepdim=True) * 1.01 + 1e-7)
    for a, b, c in _POLAR:
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon:
    """Momentum with orthogonalised updates (Jordan et al. 2024), matrices of one shape together.

    With `block`, matrices are cut into square blocks of that side, each orthogonalised for itself.
    Convolution weights are taken as (out, in x height x width).
    """

    def __init__(self, parameters: list[nn.Parameter], momentum: float = 0.95, block: int = 0):
        self.momentum = momentum
        self.block = block
        self.groups: dict[tuple[int, ...], list[nn.Parameter]] = {}
        for parameter in parameters:
            self.groups.setdefault(tuple(parameter.shape), []).append(parameter)
        self.buffers = {shape: torch.zeros(len(ps), *shape) for shape, ps in self.groups.items()}

    @torch.no_grad()
    def step(self, rate: float, weight_decay: float = 0.0) -> None:
        """One update with this learning rate."""
        for shape, parameters in self.groups.items():
            gradient = torch.stack([p.grad for p in parameters])
            buffer = self.buffers[shape]
            buffer.lerp_(gradient, 1 - self.momentum)
            update = self._update(gradient.lerp(buffer, self.momentum), shape)
            for parameter, change in zip(parameters, update):
                parameter.mul_(1 - rate * weight_decay).sub_(change, alpha=rate)

    def _update(self, gradient: Tensor, shape: tuple[int, ...]) -> Tensor:
        flat = gradient.flatten(2)
        rows, columns = flat.shape[1:]
        side = self.block
        if not side or rows % side or columns % side:
            scale = max(1.0, rows / columns) ** 0.5
            return (orthogonalise(flat) * scale).view(-1, *shape)
        cut = flat.view(-1, rows // side, side, columns // side, side).transpose(2, 3)
        done = orthogonalise(cut.reshape(-1, side, side)).view(cut.shape)
        return done.transpose(2, 3).reshape(-1, *shape)

    def state_dict(self) -> dict[str, Tensor]:
        """Momentum buffers by shape."""
        return {"x".join(map(str, shape)): buffer for shape, buffer in self.buffers.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over momentum buffers."""
        for shape, buffer in self.buffers.items():
            buffer.copy_(state["x".join(map(str, shape))])


def stable_decay(progress: float, decay_from: float = 0.75) -> float:
    """Learning-rate factor at `progress` (0..1): constant, linear to zero from `decay_from`."""
    return min(1.0, max(0.0, (1 - progress) / (1 - decay_from)))
