"""Networks of faces from ONNX graphs, run by PyTorch on any device.

Face recognition needs few operations; a graph that has others is left to onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from .iresnet import DEPTHS
from .onnx_file import Graph, Node

Run = Callable[..., torch.Tensor]


def _convolution(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, **given: Any
) -> torch.Tensor:
    top, left, bottom, right = given.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    return F.conv2d(
        x,
        weight,
        bias,
        given.get("strides", 1),
        (top, left),
        given.get("dilations", 1),
        given.get("group", 1),
    )


def _norm(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    mean: torch.Tensor,
    variance: torch.Tensor,
    **given: Any,
) -> torch.Tensor:
    return F.batch_norm(x, mean, variance, weight, bias, eps=given.get("epsilon", 1e-5))


def _linear(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, **given: Any
) -> torch.Tensor:
    weight = weight if given.get("transB", 0) else weight.T
    answer = given.get("alpha", 1.0) * F.linear(x.T if given.get("transA", 0) else x, weight)
    return answer if bias is None else answer + given.get("beta", 1.0) * bias


def _prelu(x: torch.Tensor, slope: torch.Tensor, **_: Any) -> torch.Tensor:
    if slope.ndim == 1 and x.ndim == 4:  # one for each channel, as old files have them
        slope = slope[:, None, None]
    return torch.where(x > 0, x, x * slope)


OPERATIONS: dict[str, Run] = {
    "Add": lambda x, y, **_: x + y,
    "BatchNormalization": _norm,
    "Conv": _convolution,
    "Dropout": lambda x, *_, **__: x,
    "Flatten": lambda x, **given: x.flatten(given.get("axis", 1)),
    "Gemm": _linear,
    "Identity": lambda x, **_: x,
    "Mul": lambda x, y, **_: x * y,
    "PRelu": _prelu,
    "Relu": lambda x, **_: x.relu(),
    "Reshape": lambda x, shape, **_: x.reshape(shape.tolist()),
    "Sub": lambda x, y, **_: x - y,
}
"""What each operation does to its inputs, with its attributes (ONNX operators, opset 7 to 20)."""


def runs(graph: Graph) -> bool:
    """Whether every operation and every weight of ``graph`` is one that we know."""
    known = set(graph.inputs) | {name for name, value in graph.weights.items() if value.numel()}
    for node in graph.nodes:
        inputs = {name for name in node.inputs if name}
        automatic = node.attributes.get("auto_pad", "NOTSET") != "NOTSET"
        if node.operation not in OPERATIONS or automatic or not inputs <= known:
            return False
        known.update(node.outputs)
    return len(graph.inputs) == 1 == len(graph.outputs) and graph.outputs[0] in known


def takes_bytes(graph: Graph) -> bool:
    """Whether the graph brings pixels of 0..255 into its range by itself, as MXNet's exports do."""
    first = [node for node in graph.nodes if graph.inputs.keys() & set(node.inputs)]
    return any(node.operation in ("Sub", "Mul", "Div") for node in first)


def kind(graph: Graph) -> str:
    """What the network is: IResNet by the number of its blocks, or a network of another kind."""
    plain = {"Add", "BatchNormalization", "Conv", "Dropout", "Flatten", "Gemm", "PRelu", "Reshape"}
    used = {node.operation for node in graph.nodes}
    whole = all(node.attributes.get("group", 1) == 1 for node in graph.nodes)
    blocks = sum(node.operation == "Add" for node in graph.nodes)
    for counts, depth in DEPTHS.items():
        if used - {"Sub", "Mul", "Identity"} <= plain and whole and sum(counts) == blocks:
            return f"IResNet-{depth}"
    return "ONNX"


class OnnxNetwork(nn.Module):
    """``graph`` as a module: its one input to its one output. ``runs`` has to be true of it."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        (self.given,), (self.answer,) = graph.inputs, graph.outputs
        used = {name for node in graph.nodes for name in node.inputs}
        weights = {name: value for name, value in graph.weights.items() if name in used}
        self.places = {name: str(number) for number, name in enumerate(weights)}
        # Names in a graph hold dots and slashes, which no parameter may.
        self.weights = nn.ParameterDict(
            {
                self.places[name]: nn.Parameter(
                    value.float() if value.is_floating_point() else value, requires_grad=False
                )
                for name, value in weights.items()
            }
        )
        self.nodes = graph.nodes
        (shape,) = graph.inputs.values()
        shaped = any(node.operation == "Reshape" for node in graph.nodes)
        # Such a graph may have its batch's size written into it.
        self.most = shape[0] if shaped else None
        self.last_use = {
            name: number for number, node in enumerate(graph.nodes) for name in node.inputs
        }

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self._forward(part) for part in x.split(self.most or len(x))])

    def _forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {self.given: x}
        for number, node in enumerate(self.nodes):
            values[node.outputs[0]] = self._run(node, values)
            for name in node.inputs:
                if self.last_use[name] == number and name != self.answer:
                    values.pop(name, None)
        return values[self.answer]

    def _run(self, node: Node, values: dict[str, torch.Tensor]) -> torch.Tensor:
        inputs = [
            values[name] if name in values else self.weights[self.places[name]]
            for name in node.inputs
            if name
        ]
        return OPERATIONS[node.operation](*inputs, **node.attributes)
