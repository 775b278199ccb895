"""The forward pass of an adapted layer, each kind's, exact where weights are streamed or quantised.

    LoRA, rsLoRA   y = W x + b + scale · B A x
    DoRA           y = (W + scale · B A) (m / ‖W + scale · B A‖ ⊙ x) + b, norms of columns
    LoKr           y = W x + b + scale · (W1 ⊗ W2) x
    LoHa           y = W x + b + scale · ((A1 B1) ⊙ (A2 B2)) x

DoRA's norms are taken over each input's column (Liu et al. 2024, equation 5), the way that every
program reads alike, and are part of the gradient. W itself is kept by none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as functional

from .frozen import _AdaptedLinear, cast_weight, frozen_convolution, through_weight

ADAPTER = "facet"
"""What peft knows our adapters by."""

# Rows of a weight that are asked for at once: what they take is a small part of a layer.
_ROWS_AT_ONCE = 1024

Build = Callable[..., torch.Tensor]


def adapted_forward(layer: Any, compute_dtype: torch.dtype | None, x: torch.Tensor) -> torch.Tensor:
    """``layer(x)`` for a layer of ComfyUI that peft has put an adapter on.

    x: (…, in), or (B, in, h, w) for a convolution, in any floating dtype; the result is in
    ``compute_dtype``, or in x's where that is None.
    """
    base = layer.get_base_layer()
    if layer.disable_adapters:
        return _frozen(base, compute_dtype, x)
    dtype = compute_dtype or x.dtype
    scale = float(layer.scaling[ADAPTER])
    if hasattr(layer, "hada_w1_a"):
        names = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
        parts = [getattr(layer, name)[ADAPTER] for name in names]
        return _frozen(base, dtype, x) + _Rebuilt.apply(x, base, _hadamard(scale), dtype, *parts)
    if hasattr(layer, "lokr_w1"):
        return _frozen(base, dtype, x) + _kronecker(layer, base, scale, x, dtype)
    down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
    if hasattr(layer, "magnitude"):
        x = x.to(dtype) * _column_scale(layer, base, down, up, scale, dtype).to(dtype)
    if not _is_convolution(base):
        return _AdaptedLinear.apply(x, down, up, base, scale, dtype)
    hidden = functional.conv2d(x.to(dtype), down.to(dtype), None, *_geometry(base))
    return _frozen(base, dtype, x) + scale * functional.conv2d(hidden, up.to(dtype))


def column_norms(layer: Any, device: torch.device) -> torch.Tensor:
    """The squared norm of each input's column of a layer's weight, float32 on ``device``.

    (1, in) for a linear layer, (1, in, 1, 1) for a convolution.
    """
    with torch.no_grad():
        if _is_convolution(layer):
            with cast_weight(layer, torch.float32, device) as weight:
                return weight.square().sum((0, 2, 3), keepdim=True)
        square = torch.zeros(1, layer.in_features, device=device)
        for start in range(0, layer.out_features, _ROWS_AT_ONCE):
            # Rows of the identity: whole it has 1.8 GB for the widest layers of Flux.
            count = min(_ROWS_AT_ONCE, layer.out_features - start)
            rows = torch.zeros(count, layer.out_features, device=device)
            rows.diagonal(start).fill_(1)
            square += through_weight(layer, rows).square().sum(0)
        return square


def _is_convolution(layer: Any) -> bool:
    return isinstance(layer, torch.nn.Conv2d)


def _frozen(base: Any, dtype: torch.dtype | None, x: torch.Tensor) -> torch.Tensor:
    if not _is_convolution(base):
        # In one dtype with gradients and without: what is trained is compared with what was.
        return _AdaptedLinear.apply(x, None, None, base, 0.0, dtype or x.dtype)
    return frozen_convolution(base, x if dtype is None else x.to(dtype))


def _geometry(convolution: Any) -> tuple[Any, ...]:
    return (convolution.stride, convolution.padding, convolution.dilation)


def _column_scale(
    layer: Any, base: Any, down: torch.Tensor, up: torch.Tensor, scale: float, dtype: torch.dtype
) -> torch.Tensor:
    """m / ‖W + scale · B A‖ for each input, (in,) or (1, in, 1, 1).

    The square of the norm is |W|² + 2 scale A·(BᵀW) + scale² A·(BᵀB A), column by column, so
    that W + scale · B A is never built.
    """
    a, b = down.flatten(1), up.flatten(1)
    across = _Transposed.apply(b, base, dtype).to(a.dtype)
    change = (a * (2 * scale * across + scale**2 * (b.t() @ b) @ a)).sum(0)
    change = change.view(down.shape[1], -1).sum(1)
    shape = layer.magnitude.shape
    norms = (layer.weight_square + change.view(shape)).clamp_min(1e-20).sqrt()
    return (layer.magnitude / norms).view(shape[1:] if len(shape) == 2 else shape)


def _kronecker(
    layer: Any, base: Any, scale: float, x: torch.Tensor, dtype: torch.dtype
) -> torch.Tensor:
    w1 = layer.lokr_w1[ADAPTER]
    whole = ADAPTER in layer.lokr_w2
    held = [layer.lokr_w2] if whole else [layer.lokr_w2_a, layer.lokr_w2_b]
    parts = [one[ADAPTER] for one in held]
    if _is_convolution(base):
        return _Rebuilt.apply(x, base, _kronecker_product(scale), dtype, w1, *parts)
    # (W1 ⊗ W2) x is W1 X W2ᵀ with x laid out as the matrix X: never as large as W.
    inner = x.to(dtype).unflatten(-1, (w1.shape[1], -1))
    for part in reversed(parts):
        inner = inner @ part.to(dtype).t()
    return ((scale * w1).to(dtype) @ inner).flatten(-2)


def _hadamard(scale: float) -> Build:
    def build(
        a1: torch.Tensor, b1: torch.Tensor, a2: torch.Tensor, b2: torch.Tensor
    ) -> torch.Tensor:
        return scale * (a1 @ b1) * (a2 @ b2)

    return build


def _kronecker_product(scale: float) -> Build:
    def build(w1: torch.Tensor, *parts: torch.Tensor) -> torch.Tensor:
        w2 = parts[0].flatten(1) if len(parts) == 1 else parts[0] @ parts[1]
        return scale * torch.kron(w1, w2)

    return build


class _Transposed(torch.autograd.Function):
    """Bᵀ W, (rank, in), which asks for W again in the backward pass."""

    @staticmethod
    def forward(ctx: Any, up: torch.Tensor, layer: Any, dtype: torch.dtype) -> torch.Tensor:
        ctx.layer, ctx.dtype, ctx.parameter_dtype = layer, dtype, up.dtype
        rows = up.to(dtype).t()
        if not _is_convolution(layer):
            return through_weight(layer, rows)
        with cast_weight(layer, dtype, up.device) as weight:
            return rows @ weight.flatten(1)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        layer, rows = ctx.layer, grads[0].to(ctx.dtype)
        if not _is_convolution(layer):
            # Without the bias: what the layer makes of the rows, less what it makes of nothing.
            found = type(layer).forward(layer, torch.cat([rows, torch.zeros_like(rows[:1])]))
            grad = found[:-1] - found[-1:]
        else:
            with cast_weight(layer, ctx.dtype, rows.device) as weight:
                grad = rows @ weight.flatten(1).t()
        return grad.t().to(ctx.parameter_dtype), None, None


class _Rebuilt(torch.autograd.Function):
    """x through a matrix as large as the layer's, which is built again for the backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        layer: Any,
        build: Build,
        dtype: torch.dtype,
        *parts: torch.Tensor,
    ) -> torch.Tensor:
        ctx.layer, ctx.build, ctx.dtype, ctx.input_dtype = layer, build, dtype, x.dtype
        x = x.to(dtype)
        ctx.save_for_backward(x, *parts)
        change = build(*parts).to(dtype)
        if not _is_convolution(layer):
            return x @ change.t()
        return functional.conv2d(x, change.view(_weight_shape(layer)), None, *_geometry(layer))

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, *parts = ctx.saved_tensors
        held = [part.detach().requires_grad_() for part in parts]
        with torch.enable_grad():
            change = ctx.build(*held)
        weight = change.detach().to(ctx.dtype)
        grad_x = None
        if not _is_convolution(ctx.layer):
            grad = grads[0].flatten(0, -2)
            grad_weight = grad.t() @ x.flatten(0, -2)
            if ctx.needs_input_grad[0]:
                grad_x = grads[0] @ weight
        else:
            weight = weight.view(_weight_shape(ctx.layer))
            given = (grads[0], *_geometry(ctx.layer))
            grad_weight = torch.nn.grad.conv2d_weight(x, weight.shape, *given)
            if ctx.needs_input_grad[0]:
                grad_x = torch.nn.grad.conv2d_input(x.shape, weight, *given)
        found = torch.autograd.grad(change, held, grad_weight.view_as(change).to(change.dtype))
        if grad_x is not None:
            grad_x = grad_x.to(ctx.input_dtype)
        return grad_x, None, None, None, *found


def _weight_shape(layer: Any) -> tuple[int, ...]:
    return (layer.out_channels, layer.in_channels, *layer.kernel_size)
