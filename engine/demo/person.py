"""The demo's background-removal model, in the place of core's BiRefNet.

A small U-Net finds the person in the picture. What core's RemoveBackground asks of a
BACKGROUND_REMOVAL is `encode_image`.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .face import conv

INPUT = 128
WIDTHS = (16, 32, 56, 88)
"""Channels at a half, a quarter, an eighth and a sixteenth of the input's side."""

TOGETHER = 16
"""Pictures that go through the network at once, so that a long batch needs no more memory."""


class PersonFinder(nn.Module):
    """Pictures (N, 3, S, S) in -1..1 to logits (N, S, S) of the person; S a multiple of 16.

    A U-Net whose ways up add what the ways down saw (LinkNet, Chaurasia and Culurciello 2017). It
    takes and gives 2 x 2 pixels as channels, so that no layer runs at the full side.
    """

    def __init__(self) -> None:
        super().__init__()
        steps = tuple(pairwise(WIDTHS))
        self.enter = nn.Sequential(
            nn.PixelUnshuffle(2), conv(12, WIDTHS[0]), conv(WIDTHS[0], WIDTHS[0])
        )
        self.down = nn.ModuleList(
            nn.Sequential(conv(fine, coarse, stride=2), conv(coarse, coarse))
            for fine, coarse in steps
        )
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in steps)
        self.up = nn.ModuleList(conv(fine, fine) for fine, _ in steps)
        self.leave = nn.Sequential(nn.Conv2d(WIDTHS[0], 4, 3, 1, 1), nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        seen = []
        for layer in self.down:
            seen.append(x)
            x = layer(x)
        for narrow, layer in zip(reversed(self.narrow), reversed(self.up), strict=True):
            x = layer(F.interpolate(narrow(x), scale_factor=2.0) + seen.pop())
        return self.leave(x)[:, 0].float()


class DemoBackgroundModel:
    """Goes over the BACKGROUND_REMOVAL socket."""

    def __init__(self, finder: PersonFinder):
        self.finder = finder.eval()

    def encode_image(self, image: Tensor, image_size: int | None = None) -> Tensor:
        """Masks (B, H, W) in 0..1, 1 where a person is, of pictures (B, H, W, C) in 0..1.

        They lie on ComfyUI's intermediate device, as core's do. image_size: at which newer versions
        of core have a model work; this one works at its own.
        """
        import comfy.model_management

        return self.find(image).to(
            comfy.model_management.intermediate_device(),
            comfy.model_management.intermediate_dtype(),
        )

    @torch.no_grad()
    def find(self, image: Tensor) -> Tensor:
        """The masks of `encode_image` as float32 on the CPU."""
        return torch.cat([self._masks(part) for part in image.split(TOGETHER)])

    def _masks(self, image: Tensor) -> Tensor:
        pictures = image[..., :3].movedim(-1, 1).cpu().float() * 2 - 1
        height, width = pictures.shape[2:]
        scale = INPUT / max(height, width)
        rows, columns = (max(1, round(side * scale)) for side in (height, width))
        top, left = (INPUT - rows) // 2, (INPUT - columns) // 2
        small = F.interpolate(pictures, (rows, columns), mode="bilinear", antialias=True)
        pad = (left, INPUT - columns - left, top, INPUT - rows - top)
        logits = self.finder(F.pad(small, pad))[:, None, top : top + rows, left : left + columns]
        return F.interpolate(logits, (height, width), mode="bilinear").sigmoid()[:, 0]
