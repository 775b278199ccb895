"""dlib's face recognition network, out of face-api's 8-bit weights, as a module and as ONNX.

29 convolutions, 128 numbers (davisking/dlib, examples/dnn_face_recognition_ex.cpp), in the public
domain (davisking/dlib-models). The numbers are not of length 1. Two faces are one person's where
they are less than 0.6 apart, by the author; of the photographs here 0.46 at most, and two people's
0.51 at least.
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
POINTS = {
    263: (110.957, 46.350),
    362: (89.606, 47.897),
    33: (37.058, 46.373),
    133: (58.409, 47.906),
    2: (74.011, 87.780),
}
"""Where five of the 478 landmarks lie in the crop: the corners of the eyes and the nose's base, px.
dlib/image_transforms/interpolation.h, get_face_chip_details for five points with padding 0.25."""
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
    """Faces (N, 3, 150, 150), as `prepared` leaves them, to (N, 128)."""

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

    def forward(self, faces: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.first(faces)), 3, 2)
        for block in self.blocks.values():
            x = block(x)
        return self.last(x.mean(dim=(2, 3)))


def prepared(crops: Tensor) -> Tensor:
    """RGB crops (N, 150, 150, 3) in 0..1 as the network takes them: (N, 3, 150, 150)."""
    return ((crops * 255 - torch.tensor(MEAN)) / SCALE).movedim(-1, 1)


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
    """Write the network of the unpacked files in ``folder`` as ONNX, for any number of faces."""
    with warnings.catch_warnings():
        # The exporter says of each F.pad that it is not folded into the weights.
        warnings.filterwarnings("ignore", "Constant folding")
        torch.onnx.export(
            load(folder),
            (torch.zeros(1, 3, SIZE, SIZE),),
            path,
            dynamo=False,
            input_names=["faces"],
            output_names=["embedding"],
            dynamic_axes={"faces": {0: "faces"}, "embedding": {0: "faces"}},
        )
