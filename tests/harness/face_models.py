"""Face recognition networks with random weights, as files in the layouts that people have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from facet.engine.vision.embedder_card import EmbedderCard
from facet.engine.vision.embedders import FaceEmbedder
from facet.engine.vision.recognition import FaceModel

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}


class ReferenceBlock(nn.Module):
    """An IResNet block with every batch norm, under arcface_torch's names."""

    def __init__(self, inputs: int, outputs: int, stride: int, downsample: bool) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = (
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
            if downsample
            else None
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return out + (x if self.downsample is None else self.downsample(x))


class ReferenceIResNet(nn.Module):
    """The whole network, written down as the paper has it; 64 wide is the real one."""

    def __init__(self, depth: int, width: int = 64, dimensions: int = 512) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        inputs = width
        for stage, count in enumerate(BLOCKS[depth]):
            outputs = width * 2**stage
            blocks = [ReferenceBlock(inputs, outputs, 2, True)]
            blocks += [ReferenceBlock(outputs, outputs, 1, False) for _ in range(count - 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = outputs
        self.bn2 = nn.BatchNorm2d(inputs)
        self.dropout = nn.Dropout(p=0.4)
        self.fc = nn.Linear(inputs * 49, dimensions)
        self.features = nn.BatchNorm1d(dimensions)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(self.dropout(self.bn2(x).flatten(1))))


def random_iresnet(
    depth: int = 18, width: int = 64, seed: int = 0, dimensions: int = 512
) -> ReferenceIResNet:
    """The reference with weights, slopes and statistics drawn at random."""
    torch.manual_seed(seed)
    network = ReferenceIResNet(depth, width, dimensions).eval()
    for part in network.modules():
        if isinstance(part, (nn.BatchNorm2d, nn.BatchNorm1d)):
            nn.init.uniform_(part.weight, 0.5, 1.0)
            nn.init.normal_(part.bias, std=0.2)
            nn.init.normal_(part.running_mean, std=0.2)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
        elif isinstance(part, nn.PReLU):
            nn.init.uniform_(part.weight, 0.0, 0.5)
    return network


def folded_state(network: ReferenceIResNet) -> dict[str, torch.Tensor]:
    """The weights as an ONNX export keeps them: batch norms that follow a convolution are in it,
    and the one before the linear layer is called bn1, since that name is free."""
    state = {
        key.replace("bn2.", "bn1.") if key.startswith("bn2.") else key: value
        for key, value in network.state_dict().items()
        if not key.startswith("bn1.")
        and not any(part in key for part in (".bn2.", ".bn3.", ".downsample."))
    }

    def fold(name: str, convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        fused = fuse_conv_bn_eval(convolution, norm)
        state[f"{name}.weight"], state[f"{name}.bias"] = fused.weight.data, fused.bias.data

    fold("conv1", network.conv1, network.bn1)
    for name, block in network.named_modules():
        if isinstance(block, ReferenceBlock):
            fold(f"{name}.conv1", block.conv1, block.bn2)
            fold(f"{name}.conv2", block.conv2, block.bn3)
            if block.downsample is not None:
                fold(f"{name}.downsample", *block.downsample)
    return state


def write_safetensors(
    path: Path, state: dict[str, torch.Tensor], metadata: dict[str, str] | None = None
) -> Path:
    """``state`` as a file."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in state.items()}, path, metadata)
    return path


def write_onnx(
    path: Path,
    network: nn.Module,
    batch: int | None = None,
    shape: tuple[int, ...] = (3, 112, 112),
    outputs: tuple[str, ...] = ("output",),
    any_size: bool = False,
) -> Path:
    """``network`` as PyTorch exports it; ``batch``: how many faces it takes, any where None.

    shape: of one face. any_size: of whatever height and width instead.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sides = {2: "height", 3: "width"} if any_size else {}
    free = {"input": {0: "faces", **sides}, **{name: {0: "faces"} for name in outputs}}
    torch.onnx.export(
        network,
        (torch.zeros(batch or 1, *shape),),
        path,
        dynamo=False,
        input_names=["input"],
        output_names=list(outputs),
        dynamic_axes=free if batch is None else {},
    )
    return path


def write_card(model: Path, **said: object) -> Path:
    """The JSON beside the file ``model``."""
    path = model.with_name(f"{model.stem}.facet.json")
    path.write_text(json.dumps(said), "utf-8")
    return path


SEEN_AS = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28], "colours": "bgr"}
"""How `DemoRecogniser` wants its pixels."""


class DemoRecogniser(nn.Module):
    """The demo's encoder of characters behind other pixels, ``SEEN_AS``, and a head of its own."""

    def __init__(self, encoder: nn.Module, channels_last: bool = False) -> None:
        super().__init__()
        self.encoder, self.channels_last = encoder, channels_last
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(SEEN_AS[name]).view(3, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if self.channels_last:
            pixels = pixels.permute(0, 3, 1, 2)
        return self.encoder(pixel_values=(pixels.flip(1) * self.std + self.mean) * 2 - 1)[2]


def demo_recogniser(path: Path, clip_vision: Any, channels_last: bool = False) -> Path:
    """The demo's encoder as ONNX, which knows its people, without what says how to feed it."""
    shape = (128, 128, 3) if channels_last else (3, 128, 128)
    network = DemoRecogniser(clip_vision.model, channels_last).eval()
    return write_onnx(path, network, shape=shape)


def face_embedder(**said: Any) -> FaceEmbedder:
    """A recogniser of noise, of which a card says ``said``."""
    card = EmbedderCard(size=112, **said)
    return FaceEmbedder(FaceModel("noise", "ONNX", 4, lambda faces: faces[:, 0, 0, :4], "", card))
