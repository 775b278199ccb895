"""Training copy of ComfyUI's CLIP vision model: the identity encoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..engine.demo.models import IMAGE_SIZE, PATCH, PROJECTION, VISION_HEADS, VISION_LAYERS
from ..engine.demo.models import VISION_WIDTH as WIDTH
from .clip import ClipLayer
from .labels import HEADS
from .probe import NUMBERS


class VisionModel(nn.Module):
    """The transformer under ComfyUI's names."""

    def __init__(self) -> None:
        super().__init__()
        tokens = (IMAGE_SIZE // PATCH) ** 2 + 1
        self.embeddings = nn.Module()
        self.embeddings.class_embedding = nn.Parameter(torch.randn(WIDTH) * 0.02)
        self.embeddings.patch_embedding = nn.Conv2d(3, WIDTH, PATCH, PATCH, bias=False)
        self.embeddings.position_embedding = nn.Embedding(tokens, WIDTH)
        nn.init.normal_(self.embeddings.position_embedding.weight, std=0.1)
        self.pre_layrnorm, self.post_layernorm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.encoder = nn.Module()
        layers = (ClipLayer(WIDTH, VISION_HEADS, False) for _ in range(VISION_LAYERS))
        self.encoder.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.embeddings.patch_embedding(x).flatten(2).transpose(1, 2)
        first = self.embeddings.class_embedding.to(patches.dtype).expand(len(x), 1, -1)
        x = torch.cat((first, patches), 1) + self.embeddings.position_embedding.weight
        x = self.pre_layrnorm(x)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.post_layernorm(x[:, 0].float())


class IdentityEncoder(nn.Module):
    """Pictures (N, 3, 128, 128) in -1..1 to embeddings (N, 64), with heads for training only."""

    def __init__(self) -> None:
        super().__init__()
        self.vision_model = VisionModel()
        self.visual_projection = nn.Linear(WIDTH, PROJECTION, bias=False)
        self.numbers = nn.Linear(WIDTH, NUMBERS)
        self.heads = nn.ModuleDict({k: nn.Linear(WIDTH, len(v)) for k, v in HEADS.items()})

    def forward(self, x: Tensor) -> Tensor:
        return self.vision_model(x)

    def exported(self) -> dict[str, Tensor]:
        """What ComfyUI loads, as fp16."""
        return {
            k: v.detach().half().contiguous()
            for k, v in self.state_dict().items()
            if k.startswith(("vision_model.", "visual_projection."))
        }
