"""IResNet, the network of ArcFace's face recognition, in the form in which it infers.

The batch norms that follow a convolution or a linear layer are folded into it, which is what an
ONNX export does to its file as well; so files in either layout become the same network.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import torch
from torch import nn

from ..core.errors import FacetError
from .alignment import SIDE

DEPTHS = {
    (2, 2, 2, 2): 18,
    (3, 4, 6, 3): 34,
    (3, 4, 14, 3): 50,
    (3, 13, 30, 3): 100,
    (6, 26, 60, 6): 200,
}
"""Layers by the number of blocks in each of the four stages (Duta et al. 2021; arcface_torch)."""
STEM = "layer1.0.conv1.weight"
EPSILON = 1e-5
CELL = 16
"""Pixels of a picture that are one cell when it comes to the linear layer: 7 by 7 of 112."""

State = Mapping[str, torch.Tensor]


class Scaled(nn.Module):
    """A batch norm that no convolution can take up, as one factor and one shift a channel."""

    def __init__(self, scale: torch.Tensor, shift: torch.Tensor) -> None:
        super().__init__()
        self.scale = nn.Parameter(scale[:, None, None], requires_grad=False)
        self.shift = nn.Parameter(shift[:, None, None], requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.shift


class Block(nn.Module):
    """Norm, convolution, PReLU, convolution, and the way around them."""

    def __init__(
        self, norm: Scaled, first: nn.Conv2d, prelu: nn.PReLU, second: nn.Conv2d, around: nn.Module
    ) -> None:
        super().__init__()
        self.inside = nn.Sequential(norm, first, prelu, second)
        self.around = around

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inside(x) + self.around(x)


class IResNet(nn.Module):
    """Faces (N, 3, S, S) in -1..1, of the S it was made for, to embeddings (N, D)."""

    def __init__(self, layers: nn.Sequential, linear: nn.Linear, depth: int) -> None:
        super().__init__()
        self.layers, self.linear, self.depth = layers, linear, depth

    @property
    def dimensions(self) -> int:
        return self.linear.out_features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.layers(x).flatten(1))


def load_iresnet(state: State, size: int = SIDE) -> IResNet:
    """The network whose weights ``state`` holds, float32, for faces of ``size`` px.

    Its keys are arcface_torch's, below any prefix, with all batch norms or with those folded that
    an ONNX export folds. Raises FacetError with a sentence when it is something else.
    """
    parts = _Parts(_unprefixed(state))
    blocks = parts.blocks()
    if blocks not in DEPTHS:
        raise FacetError(
            f"The file has {'-'.join(map(str, blocks))} blocks, and no IResNet of 18, 34, 50, 100 "
            "or 200 layers has; use the weights of one of those."
        )
    folded = "conv1.bias" in parts.state
    layers: list[nn.Module] = [
        parts.convolution("conv1", "" if folded else "bn1"),
        parts.prelu("prelu"),
    ]
    for stage, count in enumerate(blocks, 1):
        layers += [parts.block(f"layer{stage}.{number}") for number in range(count)]
    last = "bn1" if folded and "bn2.weight" not in parts.state else "bn2"
    linear = parts.linear(last, size)
    parts.check_all_used()
    return IResNet(nn.Sequential(*layers), linear, DEPTHS[blocks]).eval()


def _unprefixed(state: State) -> dict[str, torch.Tensor]:
    first = next((key for key in state if key == STEM or key.endswith(f".{STEM}")), None)
    if first is None:
        raise FacetError(
            f"The file holds no {STEM!r} and so no IResNet in arcface_torch's layout, the only one "
            "that is known here: safetensors have weights and no graph. Use the model as ONNX, "
            "which has its own."
        )
    prefix = first.removesuffix(STEM)
    return {
        key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)
    }


class _Parts:
    """Makes layers of the tensors in ``state`` and remembers which it has used."""

    def __init__(self, state: dict[str, torch.Tensor]) -> None:
        self.state = state
        self.used: set[str] = set()

    def tensor(self, key: str) -> torch.Tensor:
        if key not in self.state:
            raise FacetError(f"The file lacks {key!r}; it is not whole, fetch it again.")
        self.used.add(key)
        value = self.state[key].detach().to("cpu", torch.float64)
        if not torch.isfinite(value).all():
            raise FacetError(f"The file's {key!r} is not all numbers; fetch it again.")
        return value

    def blocks(self) -> tuple[int, ...]:
        found = {
            match.groups()
            for key in self.state
            if (match := re.match(r"layer([1-4])\.(\d+)\.", key))
        }
        return tuple(sum(stage == str(number) for stage, _ in found) for number in range(1, 5))

    def norm(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch norm as its factor and shift (C,)."""
        scale = self.tensor(f"{name}.weight") * torch.rsqrt(
            self.tensor(f"{name}.running_var") + EPSILON
        )
        return scale, self.tensor(f"{name}.bias") - scale * self.tensor(f"{name}.running_mean")

    def convolution(self, name: str, norm: str, stride: int = 1) -> nn.Conv2d:
        """A convolution with the batch norm ``norm`` folded in, where the file has one."""
        weight = self.tensor(f"{name}.weight")
        bias = weight.new_zeros(len(weight))
        if f"{name}.bias" in self.state:
            bias = self.tensor(f"{name}.bias")
        if f"{norm}.weight" in self.state:
            scale, shift = self.norm(norm)
            weight, bias = weight * scale[:, None, None, None], bias * scale + shift
        _check_bias(name, weight, bias)
        outputs, inputs, side = weight.shape[:3]
        layer = nn.Conv2d(inputs, outputs, side, stride, side // 2, device="meta")
        return _filled(layer, weight, bias)

    def prelu(self, name: str) -> nn.PReLU:
        slopes = self.tensor(f"{name}.weight").flatten()
        return _filled(nn.PReLU(len(slopes), device="meta"), slopes)

    def block(self, name: str) -> Block:
        halves = f"{name}.downsample.0" if f"{name}.downsample.0.weight" in self.state else ""
        whole = f"{name}.downsample" if f"{name}.downsample.weight" in self.state else ""
        stride = 2 if name.endswith(".0") else 1
        around: nn.Module = nn.Identity()
        if halves or whole:
            around = self.convolution(halves or whole, f"{name}.downsample.1", stride)
        return Block(
            Scaled(*(value.float() for value in self.norm(f"{name}.bn1"))),
            self.convolution(f"{name}.conv1", f"{name}.bn2"),
            self.prelu(f"{name}.prelu"),
            self.convolution(f"{name}.conv2", f"{name}.bn3", stride),
            around,
        )

    def linear(self, before: str, size: int) -> nn.Linear:
        """The linear layer with the batch norms before and after it folded in."""
        scale, shift = self.norm(before)
        weight = self.tensor("fc.weight")
        cell_count = math.ceil(size / CELL) ** 2
        if weight.ndim != 2 or weight.shape[1] != cell_count * len(scale):
            raise FacetError(
                f"The file's linear layer is {tuple(weight.shape)}; faces of {size} px need one of "
                f"{cell_count * len(scale)} inputs."
            )
        cells = weight.view(len(weight), len(scale), cell_count)
        bias = self.tensor("fc.bias") + (cells * shift[:, None]).sum(dim=(1, 2))
        weight = (cells * scale[:, None]).flatten(1)
        if "features.weight" in self.state:
            scale, shift = self.norm("features")
            weight, bias = weight * scale[:, None], bias * scale + shift
        _check_bias("fc", weight, bias)
        return _filled(nn.Linear(weight.shape[1], len(weight), device="meta"), weight, bias)

    def check_all_used(self) -> None:
        """Squeeze-and-excitation and the like would be left out without a word."""
        strange = sorted(
            key
            for key in self.state.keys() - self.used
            if key.startswith("layer") and not key.endswith("num_batches_tracked")
        )
        if strange:
            raise FacetError(
                f"The file holds {strange[0]!r}, which an IResNet has not; use the weights of a "
                "plain IResNet, or the model as ONNX."
            )


def _check_bias(name: str, weight: torch.Tensor, bias: torch.Tensor) -> None:
    if bias.shape != weight.shape[:1]:
        raise FacetError(
            f"The file's {name!r} has weights {tuple(weight.shape)} and a bias "
            f"{tuple(bias.shape)}; it is damaged, fetch it again."
        )


def _filled(layer: nn.Module, weight: torch.Tensor, bias: torch.Tensor | None = None) -> nn.Module:
    """``layer`` with these weights, float32."""
    layer.weight = nn.Parameter(weight.float(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias.float(), requires_grad=False)
    return layer
