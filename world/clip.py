"""Training copies of ComfyUI's CLIP layers and text model."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..engine.demo.text import HEADS as TEXT_HEADS
from ..engine.demo.text import LAYERS as TEXT_LAYERS
from ..engine.demo.text import MAX_TOKENS, VOCABULARY_SIZE, token_table
from ..engine.demo.text import WIDTH as TEXT_WIDTH


class ClipAttention(nn.Module):
    """CLIP's attention."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.out_proj = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor, causal: bool) -> Tensor:
        q, k, v = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        scores = (q @ k.mT).float() * q.shape[-1] ** -0.5
        if causal:
            hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(hidden, float("-inf"))
        out = scores.softmax(-1).to(v.dtype) @ v
        return self.out_proj(out.transpose(1, 2).flatten(2))


class ClipLayer(nn.Module):
    """One transformer layer under CLIP's names."""

    def __init__(self, width: int, heads: int, causal: bool):
        super().__init__()
        self.causal = causal
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn = ClipAttention(width, heads)
        self.mlp = nn.Module()
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x), self.causal)
        hidden = F.gelu(self.mlp.fc1(self.layer_norm2(x)), approximate="tanh")
        return x + self.mlp.fc2(hidden)


class TextModel(nn.Module):
    """Tokens (N, T) to text (N, T, 128) and pooled (N, 128); only the rows `used` are trained."""

    def __init__(self, used: list[int]):
        super().__init__()
        ids = torch.tensor(used)
        frozen = token_table(torch.empty(0, TEXT_WIDTH), ids[:0])
        index = torch.full((VOCABULARY_SIZE,), -1)
        index[ids] = torch.arange(len(used))
        self.register_buffer("frozen", frozen, persistent=False)
        self.register_buffer("index", index, persistent=False)
        self.rows = nn.Parameter(frozen[ids].clone())
        self.positions = nn.Parameter(torch.randn(MAX_TOKENS, TEXT_WIDTH) * 0.1)
        layers = (ClipLayer(TEXT_WIDTH, TEXT_HEADS, True) for _ in range(TEXT_LAYERS))
        self.layers = nn.ModuleList(layers)
        self.final_layer_norm = nn.LayerNorm(TEXT_WIDTH)

    def forward(self, tokens: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        row = self.index[tokens]
        trained = self.rows[row.clamp(min=0)]
        x = torch.where((row >= 0)[..., None], trained, self.frozen[tokens]) + self.positions
        for layer in self.layers:
            x = layer(x)
        x = self.final_layer_norm(x.float())
        return x, x[torch.arange(len(x)), lengths - 1]
