"""Flux in ComfyUI's own file format with random weights, and its training step in plain PyTorch.

The plain step is the bare limit that a trainer can be held against: the same blocks, weights,
checkpointing and LoRA, written out directly, with nothing of ComfyUI or of this pack in between.
It answers with the same velocity as ComfyUI's model, which `trainer.py` checks before it measures.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

HEAD = 128
AXES = (16, 56, 56)
Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Shape:
    """hidden: width; double and single: blocks; text and pooled: widths of the conditioning."""

    hidden: int
    double: int = 2
    single: int = 4
    text: int = 4096
    pooled: int = 768


def random_flux(shape: Shape, seed: int = 0) -> Weights:
    """Random weights under the names of Flux dev's own file, guidance embedding included."""
    hidden, mlp = shape.hidden, 4 * shape.hidden
    sizes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, inputs: int, outputs: int) -> None:
        sizes[f"{name}.weight"] = (outputs, inputs)
        sizes[f"{name}.bias"] = (outputs,)

    linear("img_in", 64, hidden)
    linear("txt_in", shape.text, hidden)
    for name, width in (("time_in", 256), ("guidance_in", 256), ("vector_in", shape.pooled)):
        linear(f"{name}.in_layer", width, hidden)
        linear(f"{name}.out_layer", hidden, hidden)
    for index in range(shape.double):
        for stream in ("img", "txt"):
            block = f"double_blocks.{index}.{stream}"
            linear(f"{block}_mod.lin", hidden, 6 * hidden)
            linear(f"{block}_attn.qkv", hidden, 3 * hidden)
            linear(f"{block}_attn.proj", hidden, hidden)
            linear(f"{block}_mlp.0", hidden, mlp)
            linear(f"{block}_mlp.2", mlp, hidden)
            sizes[f"{block}_attn.norm.query_norm.scale"] = (HEAD,)
            sizes[f"{block}_attn.norm.key_norm.scale"] = (HEAD,)
    for index in range(shape.single):
        block = f"single_blocks.{index}"
        linear(f"{block}.modulation.lin", hidden, 3 * hidden)
        linear(f"{block}.linear1", hidden, 3 * hidden + mlp)
        linear(f"{block}.linear2", hidden + mlp, hidden)
        sizes[f"{block}.norm.query_norm.scale"] = (HEAD,)
        sizes[f"{block}.norm.key_norm.scale"] = (HEAD,)
    linear("final_layer.adaLN_modulation.1", hidden, 2 * hidden)
    linear("final_layer.linear", hidden, 64)
    generator = torch.Generator().manual_seed(seed)

    def weight(name: str, size: tuple[int, ...]) -> Tensor:
        if name.endswith(".scale"):
            return torch.ones(size)
        scale = 0.05 if len(size) == 1 else size[-1] ** -0.5
        return scale * torch.randn(size, generator=generator)

    return {name: weight(name, size) for name, size in sizes.items()}


ADAPTED = ("_attn.qkv", "_attn.proj", "_mlp.0", "_mlp.2", ".linear1", ".linear2")


class BareFlux:
    """Flux with a LoRA on the linear layers of its blocks, each block checkpointed."""

    def __init__(self, weights: Weights, shape: Shape, rank: int) -> None:
        self.weights, self.shape = weights, shape
        self.lora: dict[str, tuple[Tensor, Tensor]] = {}
        for name, weight in weights.items():
            layer = name.removesuffix(".weight")
            if layer != name and layer.endswith(ADAPTED):
                down = torch.randn(rank, weight.shape[1]) / math.sqrt(weight.shape[1])
                up = torch.zeros(weight.shape[0], rank)
                self.lora[layer] = (down.requires_grad_(), up.requires_grad_())

    @property
    def parameters(self) -> list[Tensor]:
        """What is trained."""
        return [weight for pair in self.lora.values() for weight in pair]

    def velocity(
        self, x: Tensor, text: Tensor, pooled: Tensor, sigma: Tensor, guidance: float
    ) -> Tensor:
        """x: (B, 16, H, W) noised latents; text (B, L, …); pooled (B, …); sigma (B,)."""
        batch, channels, height, width = x.shape
        rows, columns = height // 2, width // 2
        tokens = x.reshape(batch, channels, rows, 2, columns, 2).permute(0, 2, 4, 1, 3, 5)
        img = self.linear("img_in", tokens.reshape(batch, rows * columns, channels * 4))
        txt = self.linear("txt_in", text)
        vec = self.embed("time_in", sinusoids(sigma))
        vec = vec + self.embed("guidance_in", sinusoids(torch.full_like(sigma, guidance)))
        vec = vec + self.embed("vector_in", pooled)
        rotation = rotations(text.shape[1], rows, columns)
        for index in range(self.shape.double):
            img, txt = self.block(self.double, index, img, txt, vec, rotation)
        both = torch.cat((txt, img), 1)
        for index in range(self.shape.single):
            both = self.block(self.single, index, both, vec, rotation)
        img = both[:, text.shape[1] :]
        shift, scale = self.linear("final_layer.adaLN_modulation.1", F.silu(vec)).chunk(2, -1)
        out = self.linear("final_layer.linear", modulated(img, shift, scale))
        out = out.reshape(batch, rows, columns, channels, 2, 2).permute(0, 3, 1, 4, 2, 5)
        return out.reshape(batch, channels, height, width)

    def block(self, run: Callable[..., Any], *given: Any) -> Any:
        return checkpoint(run, *given, use_reentrant=False, preserve_rng_state=False)

    def linear(self, name: str, x: Tensor) -> Tensor:
        y = F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])
        if name not in self.lora:
            return y
        down, up = self.lora[name]
        return y + F.linear(F.linear(x, down), up)

    def embed(self, name: str, x: Tensor) -> Tensor:
        return self.linear(f"{name}.out_layer", F.silu(self.linear(f"{name}.in_layer", x)))

    def heads(self, name: str, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = qkv.unflatten(-1, (3, -1, HEAD)).permute(2, 0, 3, 1, 4)
        q = F.rms_norm(q, (HEAD,), self.weights[f"{name}.query_norm.scale"], 1e-6)
        k = F.rms_norm(k, (HEAD,), self.weights[f"{name}.key_norm.scale"], 1e-6)
        return q, k, v

    def double(
        self, index: int, img: Tensor, txt: Tensor, vec: Tensor, rotation: Tensor
    ) -> tuple[Tensor, Tensor]:
        name, streams = f"double_blocks.{index}", {"txt": txt, "img": img}
        mods = {
            key: self.linear(f"{name}.{key}_mod.lin", F.silu(vec)).chunk(6, -1) for key in streams
        }
        parts = []
        for key, x in streams.items():
            qkv = self.linear(f"{name}.{key}_attn.qkv", modulated(x, *mods[key][:2]))
            parts.append(self.heads(f"{name}.{key}_attn.norm", qkv))
        q, k, v = (torch.cat(pair, 2) for pair in zip(*parts, strict=True))
        seen = dict(
            zip(
                streams,
                attention(q, k, v, rotation).split([txt.shape[1], img.shape[1]], 1),
                strict=True,
            )
        )
        for key, x in streams.items():
            _, _, gate, shift, scale, last = mods[key]
            x = x + gate[:, None] * self.linear(f"{name}.{key}_attn.proj", seen[key])
            inner = self.linear(f"{name}.{key}_mlp.0", modulated(x, shift, scale))
            inner = self.linear(f"{name}.{key}_mlp.2", F.gelu(inner, approximate="tanh"))
            streams[key] = x + last[:, None] * inner
        return streams["img"], streams["txt"]

    def single(self, index: int, x: Tensor, vec: Tensor, rotation: Tensor) -> Tensor:
        name, hidden = f"single_blocks.{index}", self.shape.hidden
        shift, scale, gate = self.linear(f"{name}.modulation.lin", F.silu(vec)).chunk(3, -1)
        inner = self.linear(f"{name}.linear1", modulated(x, shift, scale))
        qkv, mlp = inner.split([3 * hidden, 4 * hidden], -1)
        q, k, v = self.heads(f"{name}.norm", qkv)
        seen = torch.cat((attention(q, k, v, rotation), F.gelu(mlp, approximate="tanh")), 2)
        return x + gate[:, None] * self.linear(f"{name}.linear2", seen)


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]


def attention(q: Tensor, k: Tensor, v: Tensor, rotation: Tensor) -> Tensor:
    """q, k, v: (B, heads, N, 128); the result (B, N, hidden)."""
    q, k = (rotated(x, rotation) for x in (q, k))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


def rotated(x: Tensor, rotation: Tensor) -> Tensor:
    cos, sin = rotation
    even, odd = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def rotations(text: int, rows: int, columns: int) -> Tensor:
    """Cosines and sines (2, N, 64) of rotary positions: words at the origin, then the patches."""
    places = torch.zeros(text + rows * columns, 3)
    places[text:, 1] = torch.arange(rows).repeat_interleave(columns)
    places[text:, 2] = torch.arange(columns).repeat(rows)
    angles = []
    for axis, size in enumerate(AXES):
        speeds = 1 / 10_000 ** (torch.arange(0, size, 2, dtype=torch.float64) / size)
        angles.append(places[:, axis, None].double() * speeds)
    angle = torch.cat(angles, -1).float()
    return torch.stack((angle.cos(), angle.sin()))


def sinusoids(values: Tensor) -> Tensor:
    speeds = torch.exp(-math.log(10_000) * torch.arange(128) / 128)
    angle = 1000 * values[:, None] * speeds
    return torch.cat((angle.cos(), angle.sin()), -1)
