"""A frozen convolution that keeps nothing for its backward pass.

Half of a UNet is convolutions. Kept weights would be a second copy of them, or a cast buffer that
later layers overwrite; here each is asked of ComfyUI again when the gradient comes back.
"""

from __future__ import annotations

from typing import Any

import torch


def frozen_convolution(layer: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """``layer(x)`` for a frozen convolution of ComfyUI's, x: (B, C, …)."""
    plain = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    if args or kwargs or not (plain and x.requires_grad):
        return type(layer).forward(layer, x, *args, **kwargs)
    return _FrozenConvolution.apply(x, layer)


class _FrozenConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, layer: Any) -> torch.Tensor:
        ctx.layer, ctx.shape, ctx.dtype = layer, x.shape, x.dtype
        return type(layer).forward(layer, x)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, None]:
        import comfy.ops

        layer, (grad,) = ctx.layer, grads
        weight, bias, stream = comfy.ops.cast_bias_weight(
            layer, dtype=grad.dtype, device=grad.device, offloadable=True
        )
        result, _, _ = torch.ops.aten.convolution_backward(
            grad,
            # Only the shape of the input is read.
            grad.new_empty(1).expand(ctx.shape),
            weight,
            None,
            layer.stride,
            layer.padding,
            layer.dilation,
            False,
            [0],
            layer.groups,
            (True, False, False),
        )
        comfy.ops.uncast_bias_weight(layer, weight, bias, stream)
        return result.to(ctx.dtype), None
