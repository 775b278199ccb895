"""Training copy of ComfyUI's Flux transformer: same weights, out of place."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..engine.demo.text import WIDTH as TEXT_WIDTH

HIDDEN, HEAD = 256, 128
DOUBLE_BLOCKS, SINGLE_BLOCKS = 2, 4
AXES = (16, 56, 56)
PATCH_WIDTH = 64


def _norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


class QKNorm(nn.Module):
    """The learned scales of queries and keys."""

    def __init__(self) -> None:
        super().__init__()
        self.query_norm = nn.RMSNorm(HEAD)
        self.key_norm = nn.RMSNorm(HEAD)


def _apart(rows: Tensor, heads: int) -> Tensor:
    """Rows of queries or keys with the members of each rotary pair half a head apart.

    The same order on both leaves their products alone, and turning contiguous halves is several
    times faster on a CPU than turning neighbours.
    """
    return rows.unflatten(0, (heads, HEAD // 2, 2)).transpose(1, 2).flatten(0, 2)


def _project(layer: nn.Linear, x: Tensor) -> Tensor:
    """A layer whose first rows are queries and keys, in the order of `_apart`."""
    both = 2 * HIDDEN
    weight = torch.cat((_apart(layer.weight[:both], both // HEAD), layer.weight[both:]))
    bias = torch.cat((_apart(layer.bias[:both], both // HEAD), layer.bias[both:]))
    return F.linear(x, weight, bias)


def _heads(qkv: Tensor, norm: QKNorm) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = qkv.unflatten(-1, (3, HIDDEN // HEAD, HEAD)).permute(2, 0, 3, 1, 4)
    scale_q, scale_k = (_apart(n.weight, 1).to(q.dtype) for n in (norm.query_norm, norm.key_norm))
    return F.rms_norm(q, (HEAD,), scale_q), F.rms_norm(k, (HEAD,), scale_k), v


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return torch.cat((cos * a - sin * b, sin * a + cos * b), -1)


def _attend(q: Tensor, k: Tensor, v: Tensor, rope: Tensor) -> Tensor:
    """Attention written out: at these lengths the fused kernel's backward takes twice as long."""
    cos, sin = rope.to(v.dtype)
    scores = _turn(q, cos, sin) @ _turn(k, cos, sin).mT
    share = (scores.float() * HEAD**-0.5).softmax(-1).to(v.dtype)
    return (share @ v).transpose(1, 2).flatten(2)


class MlpEmbedder(nn.Module):
    """Two layers on a vector."""

    def __init__(self, width: int):
        super().__init__()
        self.in_layer = nn.Linear(width, HIDDEN)
        self.out_layer = nn.Linear(HIDDEN, HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_layer(F.silu(self.in_layer(x)))


class SelfAttention(nn.Module):
    """The weights of one stream's attention."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.norm = QKNorm()
        self.proj = nn.Linear(HIDDEN, HIDDEN)


class Modulation(nn.Module):
    """Shifts, scales and gates from the conditioning vector."""

    def __init__(self, parts: int):
        super().__init__()
        self.parts = parts
        self.lin = nn.Linear(HIDDEN, parts * HIDDEN)

    def forward(self, vector: Tensor) -> tuple[Tensor, ...]:
        return self.lin(F.silu(vector))[:, None].chunk(self.parts, -1)


def _mlp() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(HIDDEN, 4 * HIDDEN), nn.GELU("tanh"), nn.Linear(4 * HIDDEN, HIDDEN)
    )


class DoubleBlock(nn.Module):
    """Picture and text with weights of their own and one attention."""

    def __init__(self) -> None:
        super().__init__()
        self.img_mod, self.img_attn, self.img_mlp = Modulation(6), SelfAttention(), _mlp()
        self.txt_mod, self.txt_attn, self.txt_mlp = Modulation(6), SelfAttention(), _mlp()

    def forward(self, img: Tensor, txt: Tensor, vec: Tensor, rope: Tensor) -> tuple[Tensor, Tensor]:
        i, t = self.img_mod(vec), self.txt_mod(vec)
        words = txt.shape[1]
        qi, ki, vi = _heads(
            _project(self.img_attn.qkv, _norm(img) * (1 + i[1]) + i[0]), self.img_attn.norm
        )
        qt, kt, vt = _heads(
            _project(self.txt_attn.qkv, _norm(txt) * (1 + t[1]) + t[0]), self.txt_attn.norm
        )
        out = _attend(torch.cat((qt, qi), 2), torch.cat((kt, ki), 2), torch.cat((vt, vi), 2), rope)
        img = img + i[2] * self.img_attn.proj(out[:, words:])
        img = img + i[5] * self.img_mlp(_norm(img) * (1 + i[4]) + i[3])
        txt = txt + t[2] * self.txt_attn.proj(out[:, :words])
        txt = txt + t[5] * self.txt_mlp(_norm(txt) * (1 + t[4]) + t[3])
        return img, txt


class SingleBlock(nn.Module):
    """All tokens through one attention and MLP side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.modulation = Modulation(3)
        self.linear1 = nn.Linear(HIDDEN, 7 * HIDDEN)
        self.linear2 = nn.Linear(5 * HIDDEN, HIDDEN)
        self.norm = QKNorm()

    def forward(self, x: Tensor, vec: Tensor, rope: Tensor) -> Tensor:
        shift, scale, gate = self.modulation(vec)
        qkv, hidden = _project(self.linear1, _norm(x) * (1 + scale) + shift).split(
            (3 * HIDDEN, 4 * HIDDEN), -1
        )
        out = _attend(*_heads(qkv, self.norm), rope)
        joined = torch.cat((out, F.gelu(hidden, approximate="tanh")), -1)
        return x + gate * self.linear2(joined)


class LastLayer(nn.Module):
    """Tokens to latent patches."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(HIDDEN, PATCH_WIDTH)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(HIDDEN, 2 * HIDDEN))

    def forward(self, x: Tensor, vec: Tensor) -> Tensor:
        shift, scale = self.adaLN_modulation(vec)[:, None].chunk(2, -1)
        return self.linear((1 + scale) * _norm(x) + shift)


def _timestep(t: Tensor) -> Tensor:
    rates = torch.exp(-math.log(10000) * torch.arange(128) / 128)
    angle = 1000 * t[:, None].float() * rates
    return torch.cat((angle.cos(), angle.sin()), -1)


def rope_table(words: int, side: int, reference: bool, stride: int = 1) -> Tensor:
    """Rotary cosines and sines (2, 1, 1, tokens, 64) of text, picture and reference tokens.

    With a `stride` of 2 a picture of half the size lies on the same ground as a full one.
    """
    place = torch.arange(side, dtype=torch.float64) * stride + (stride - 1) / 2
    y, x = torch.meshgrid(place, place, indexing="ij")
    image = torch.stack((torch.zeros_like(y), y, x), -1).flatten(0, 1)
    parts = [torch.zeros(words, 3, dtype=torch.float64), image]
    if reference:
        parts.append(image + torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64))
    ids = torch.cat(parts)
    rates = [1 / 10000 ** torch.linspace(0, (d - 2) / d, d // 2, dtype=torch.float64) for d in AXES]
    angle = torch.cat([ids[:, i : i + 1] * rate for i, rate in enumerate(rates)], -1).float()
    return torch.stack((angle.cos(), angle.sin()))[:, None, None]


class Flux(nn.Module):
    """Velocity of latents (N, 16, H, W) at time t (N,) under text (N, T, 128) and a reference."""

    def __init__(self) -> None:
        super().__init__()
        self.img_in = nn.Linear(PATCH_WIDTH, HIDDEN)
        self.time_in = MlpEmbedder(256)
        self.vector_in = MlpEmbedder(TEXT_WIDTH)
        self.txt_in = nn.Linear(TEXT_WIDTH, HIDDEN)
        self.double_blocks = nn.ModuleList(DoubleBlock() for _ in range(DOUBLE_BLOCKS))
        self.single_blocks = nn.ModuleList(SingleBlock() for _ in range(SINGLE_BLOCKS))
        self.final_layer = LastLayer()
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
                if name.endswith(".lin") or "adaLN" in name or name == "final_layer.linear":
                    nn.init.zeros_(module.weight)

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        text: Tensor,
        pooled: Tensor,
        reference: Tensor | None,
        rope: Tensor,
    ) -> Tensor:
        side = x.shape[-1] // 2
        tokens = F.pixel_unshuffle(x, 2).flatten(2).transpose(1, 2)
        if reference is not None:
            more = F.pixel_unshuffle(reference, 2).flatten(2).transpose(1, 2)
            tokens = torch.cat((tokens, more), 1)
        img, txt = self.img_in(tokens), self.txt_in(text)
        vec = self.time_in(_timestep(t)) + self.vector_in(pooled)
        for block in self.double_blocks:
            img, txt = block(img, txt, vec, rope)
        joined = torch.cat((txt, img), 1)
        for block in self.single_blocks:
            joined = block(joined, vec, rope)
        words = txt.shape[1]
        out = self.final_layer(joined[:, words : words + side * side], vec)
        return F.pixel_shuffle(out.transpose(1, 2).unflatten(2, (side, side)), 2)
