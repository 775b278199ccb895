"""Small convolutional networks and the augmentation that all picture models share."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..engine.demo.face import conv


class Residual(nn.Module):
    """Two convolutions around a skip."""

    def __init__(self, width: int):
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


def to_tensor(pictures: np.ndarray) -> Tensor:
    """Pictures (N, H, W, 3) uint8 to (N, 3, H, W) float32 in -1..1, channels last."""
    tensor = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)
    return tensor.float().div(127.5).sub(1).contiguous(memory_format=torch.channels_last)


def degrade(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Shift, blur, colour cast and noise: what decoded and generated pictures suffer from."""
    down, right = rng.integers(-5, 6, 2)
    return roughen(torch.roll(x, (int(down), int(right)), (2, 3)), rng)


def roughen(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Blur, colour cast and noise, everything in its place."""
    if rng.random() < 0.5:
        soft = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0, mode="bilinear")
        x = torch.lerp(x, soft, float(rng.uniform(0.4, 1.0)))
    cast = torch.from_numpy(rng.normal(0, 0.04, (len(x), 3, 1, 1)).astype(np.float32))
    # One noise picture for the batch: drawing noise for each takes as long as the network does.
    noise = torch.randn(1, *x.shape[1:]) * float(rng.uniform(0, 0.08))
    return x + cast + noise


def contrastive(embedding: Tensor, person: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020) of unit vectors (N, D) by person (N,)."""
    similarity = embedding @ embedding.T / temperature
    itself = torch.eye(len(person), dtype=torch.bool)
    similarity = similarity.masked_fill(itself, -1e4)
    same = (person[:, None] == person[None]) & ~itself
    log_share = similarity - similarity.logsumexp(1, keepdim=True)
    return -((log_share * same).sum(1) / same.sum(1).clamp(min=1)).mean()
