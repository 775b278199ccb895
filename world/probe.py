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

from .convnet import Residual, conv, to_tensor
from .labels import HEADS
from .run import PROBE_WEIGHTS

EMBEDDING, FEATURES, NUMBERS = 64, 256, 21


class ProbeNet(nn.Module):
    """Pictures (N, 3, 128, 128) in -1..1 to features, embedding and attribute scores."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 24, 5, 2), conv(24, 48, 3, 2), Residual(48), conv(48, 96, 3, 2), Residual(96),
            conv(96, 128, 3, 2), Residual(128), conv(128, 64, 1), nn.Flatten(),
            nn.Linear(64 * 8 * 8, FEATURES, bias=False), nn.BatchNorm1d(FEATURES), nn.ReLU(),
        )
        self.embed = nn.Linear(FEATURES, EMBEDDING, bias=False)
        self.numbers = nn.Linear(FEATURES, NUMBERS)
        self.heads = nn.ModuleDict({k: nn.Linear(FEATURES, len(v)) for k, v in HEADS.items()})

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).float()


@dataclass(frozen=True)
class Reading:
    """What the probe reads: unit embeddings (N, 64), and class indices (N,) by attribute."""

    embedding: Tensor
    classes: dict[str, np.ndarray]

    def names(self, attribute: str) -> list[str]:
        """The attribute's values as words."""
        return [HEADS[attribute][int(i)] for i in self.classes[attribute]]


class Probe:
    """The trained probe."""

    def __init__(self, path: Path = PROBE_WEIGHTS / "probe.safetensors"):
        self.net = ProbeNet()
        self.net.load_state_dict({k: v.float() if v.is_floating_point() else v
                                  for k, v in load_file(path).items()})
        self.net.eval()

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
        classes = {k: head(features).argmax(1).numpy() for k, head in self.net.heads.items()}
        return Reading(embedding, classes)
