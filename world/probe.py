"""The independent probe: says what a picture shows and who is on it.

For tests and benchmarks only; no node ever sees it. Other architecture, other seed and other
supervision than the demo's identity encoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from ..engine.demo.face import conv
from .convnet import Residual, to_tensor
from .labels import HEADS
from .render import CAMERAS
from .run import PROBE_WEIGHTS
from .scene import FRAMINGS

EMBEDDING, FEATURES, NUMBERS = 64, 256, 21


class ProbeNet(nn.Module):
    """Pictures (N, 3, 128, 128) in -1..1 to features, embedding and attribute scores."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 24, 5, 2),
            conv(24, 48, 3, 2),
            Residual(48),
            conv(48, 96, 3, 2),
            Residual(96),
            conv(96, 128, 3, 2),
            Residual(128),
            conv(128, 64, 1),
            nn.Flatten(),
            nn.Linear(64 * 8 * 8, FEATURES, bias=False),
            nn.BatchNorm1d(FEATURES),
            nn.ReLU(),
        )
        self.embed = nn.Linear(FEATURES, EMBEDDING, bias=False)
        self.numbers = nn.Linear(FEATURES, NUMBERS)
        self.heads = nn.ModuleDict({k: nn.Linear(FEATURES, len(v)) for k, v in HEADS.items()})

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).float()


CLOSE_LOOK = (
    "expression",
    "glasses",
    "beard",
    "eyes",
    "skin",
    "hair",
    "hair_style",
    "face_shape",
    "ears",
    "accessory",
    "view",
)
"""Attributes that are read from the head's crop as well as from the whole picture."""
CROP = 64


def head_crops(x: Tensor, framing: Tensor) -> Tensor:
    """The part of pictures (N, 3, S, S) where a framing (N,) has the head: (N, 3, 64, 64)."""
    boxes = []
    for name in FRAMINGS:
        height, middle = CAMERAS[name]
        boxes.append((0.5, 0.5 + (-0.12 - middle) / height, 3.1 / height))
    box = torch.tensor(boxes)[framing]
    theta = torch.zeros(len(x), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = box[:, 2]
    theta[:, :, 2] = box[:, :2] * 2 - 1
    grid = F.affine_grid(theta, [len(x), 3, CROP, CROP], align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


class HeadNet(nn.Module):
    """Crops of heads (N, 3, 64, 64) in -1..1 to scores of the attributes in CLOSE_LOOK."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 24),
            conv(24, 32, 3, 2),
            conv(32, 64, 3, 2),
            Residual(64),
            conv(64, 96, 3, 2),
            Residual(96),
            conv(96, 48, 1),
            nn.Flatten(),
            nn.Linear(48 * 8 * 8, 192, bias=False),
            nn.BatchNorm1d(192),
            nn.ReLU(),
        )
        self.heads = nn.ModuleDict({k: nn.Linear(192, len(HEADS[k])) for k in CLOSE_LOOK})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        hidden = self.body(x).float()
        return {name: head(hidden) for name, head in self.heads.items()}


@dataclass(frozen=True)
class Reading:
    """What the probe reads: unit embeddings (N, 64), and class indices (N,) by attribute.

    scores: (N, classes) by attribute, probabilities up to their softmax.
    """

    embedding: Tensor
    classes: dict[str, np.ndarray]
    scores: dict[str, Tensor]

    def certainty(self, attribute: str, value: str) -> Tensor:
        """How probable it is (N,) that ``attribute`` has ``value``."""
        return self.scores[attribute].softmax(1)[:, HEADS[attribute].index(value)]

    def names(self, attribute: str) -> list[str]:
        """The attribute's values as words."""
        return [HEADS[attribute][int(i)] for i in self.classes[attribute]]


class Probe:
    """The trained probe."""

    def __init__(self, path: Path = PROBE_WEIGHTS / "probe.safetensors"):
        self.net, self.head = ProbeNet(), HeadNet()
        for net, file in ((self.net, path), (self.head, path.with_name("probe_head.safetensors"))):
            stored = load_file(file)
            net.load_state_dict(
                {k: v.float() if v.is_floating_point() else v for k, v in stored.items()}
            )
            net.eval()

    @torch.inference_mode()
    def read(self, pictures: np.ndarray | Tensor) -> Reading:
        """Read pictures (N, H, W, 3): uint8, or float in 0..1; any size."""
        if isinstance(pictures, Tensor):
            pictures = (pictures.float().clamp(0, 1) * 255).round().byte().cpu().numpy()
        x = to_tensor(pictures)
        if x.shape[-2:] != (128, 128):
            x = F.interpolate(x, (128, 128), mode="area")
        features = torch.cat([self.net(part) for part in x.split(64)])
        embedding = F.normalize(self.net.embed(features), dim=-1)
        scores = {k: head(features) for k, head in self.net.heads.items()}
        crops = head_crops(x, scores["framing"].argmax(1))
        closer = [self.head(part) for part in crops.split(64)]
        for name in CLOSE_LOOK:
            close = torch.cat([part[name] for part in closer])
            scores[name] = scores[name].log_softmax(1) + close.log_softmax(1)
        classes = {k: score.argmax(1).numpy() for k, score in scores.items()}
        return Reading(embedding, classes, scores)
