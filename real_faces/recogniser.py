"""dlib's face recognition network, out of face-api's 8-bit weights, as a module and as ONNX.

29 convolutions, 128 numbers (davisking/dlib, examples/dnn_face_recognition_ex.cpp), in the public
domain (davisking/dlib-models). Of the portraits here, those of one person have cosines of 0.946 and
more, those of two 0.937 and less.
"""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIZE, DIMENSIONS = 150, 128
MEAN, SCALE = (122.782, 117.001, 104.298), 256.0
"""What is taken off each of R, G, B in 0..255, and what the rest is divided by."""
HEAD, LEFT, TOP = 334, 94, 114
"""The side of Facet's crop of a head in which dlib's crop lies unscaled, and where, in px. dlib has
the middles of the eyes at (47.7, 47.1) and (100.3, 47.1) of 150 px (its image_transforms/
interpolation.h, get_face_chip_details for five points with padding 0.25)."""
CARD = {
    "size": HEAD,
    "mean": 0,
    "std": 1,
    "crop": "head",
    "good_for": "photographs",
    "licence": "public domain",
    "origin": "dlib_face_recognition_resnet_model_v1 by Davis King, in 8 bits by face-api",
}
"""What stands beside the ONNX file, for Facet Face Embedder."""
BLOCKS = (
    "conv32_1", "conv32_2", "conv32_3", "conv64_down", "conv64_1", "conv64_2", "conv64_3",
    "conv128_down", "conv128_1", "conv128_2", "conv256_down", "conv256_1", "conv256_2",
    "conv256_down_out",
)  # fmt: skip
"""By face-api's names: how wide each is, and whether it halves the side."""


class ScaledConvolution(nn.Module):
    """A convolution, and a scale and shift of each channel."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, pad: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, pad)
        self.scale = nn.Parameter(torch.ones(outputs, 1, 1))
        self.shift = nn.Parameter(torch.zeros(outputs, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * self.scale + self.shift


class Residual(nn.Module):
    """Two convolutions beside their input, which is averaged and filled up where it has to be."""

    def __init__(self, inputs: int, outputs: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.more = outputs - inputs
        stride, pad = (2, 0) if halves else (1, 1)
        self.conv1 = ScaledConvolution(inputs, outputs, 3, stride, pad)
        self.conv2 = ScaledConvolution(outputs, outputs, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv2(F.relu(self.conv1(x)))
        if self.halves:
            x = F.avg_pool2d(x, 2)
        # dlib's add_prev takes what is missing in either, of channels or of rows, for nought.
        rows = x.shape[-1] - out.shape[-1]
        return F.relu(F.pad(out, (0, rows, 0, rows)) + F.pad(x, (0, 0, 0, 0, 0, self.more)))


class FaceRecogniser(nn.Module):
    """Crops of heads (N, 3, 334, 334) in 0..1 to embeddings (N, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ScaledConvolution(3, 32, 7, 2, 0)
        widths = [int(re.findall(r"\d+", name)[0]) for name in BLOCKS]
        self.blocks = nn.ModuleDict(
            {
                name: Residual(before, width, "down" in name)
                for name, before, width in zip(BLOCKS, [32, *widths[:-1]], widths, strict=True)
            }
        )
        self.last = nn.Linear(256, DIMENSIONS, bias=False)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)

    def forward(self, heads: Tensor) -> Tensor:
        faces = heads[..., TOP : TOP + SIZE, LEFT : LEFT + SIZE]
        x = (faces * 255 - self.mean) / SCALE
        x = F.max_pool2d(F.relu(self.first(x)), 3, 2)
        for block in self.blocks.values():
            x = block(x)
        return self.last(x.mean(dim=(2, 3)))


def load(folder: Path) -> FaceRecogniser:
    """The network with its weights, of the unpacked files in ``folder``."""
    weights = unpacked(folder / "dlib_resnet.json", folder / "dlib_resnet.bin")
    network = FaceRecogniser().eval()
    state = {}
    for name, layer in network.named_modules():
        if isinstance(layer, ScaledConvolution):
            there = name.removeprefix("blocks.").replace(".", "/").replace("first", "conv32_down")
            state[f"{name}.conv.weight"] = weights.pop(f"{there}/conv/filters").permute(3, 2, 0, 1)
            state[f"{name}.conv.bias"] = weights.pop(f"{there}/conv/bias")
            state[f"{name}.scale"] = weights.pop(f"{there}/scale/weights")[:, None, None]
            state[f"{name}.shift"] = weights.pop(f"{there}/scale/biases")[:, None, None]
    state["last.weight"] = weights.pop("fc").T
    if weights:
        raise ValueError(f"There are more weights than the network has: {', '.join(weights)}.")
    network.load_state_dict(state)
    return network


def unpacked(manifest: Path, data: Path) -> dict[str, Tensor]:
    """TensorFlow.js weights by name, 8-bit ones as the numbers that they stand for."""
    values = data.read_bytes()
    found: dict[str, Tensor] = {}
    offset = 0
    for group in json.loads(manifest.read_text("utf-8")):
        for one in group["weights"]:
            packed = one.get("quantization")
            kind = np.dtype(packed["dtype"] if packed else one["dtype"])
            count = int(np.prod(one["shape"]))
            numbers = np.frombuffer(values, kind, count, offset).astype(np.float32)
            offset += count * kind.itemsize
            if packed:
                numbers = numbers * packed["scale"] + packed["min"]
            found[one["name"]] = torch.from_numpy(numbers.reshape(one["shape"]).astype(np.float32))
    if offset != len(values):
        raise ValueError(f"{data.name} holds {len(values)} bytes and its manifest says {offset}.")
    return found


def write_onnx(folder: Path, path: Path) -> None:
    """Write the network of the unpacked files in ``folder`` as ONNX, and its card beside it."""
    path.with_suffix(".facet.json").write_text(json.dumps(CARD), "utf-8")
    with warnings.catch_warnings():
        # The exporter says of each F.pad that it is not folded into the weights.
        warnings.filterwarnings("ignore", "Constant folding")
        torch.onnx.export(
            load(folder),
            (torch.zeros(1, 3, HEAD, HEAD),),
            path,
            dynamo=False,
            input_names=["heads"],
            output_names=["embedding"],
            dynamic_axes={"heads": {0: "heads"}, "embedding": {0: "heads"}},
        )
