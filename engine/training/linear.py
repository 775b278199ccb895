"""A frozen linear layer, with a low-rank adapter or without, as one step of autograd.

    y = W x + b + scale · B A x

W is not kept for the backward pass but asked of ComfyUI again: a kept weight would be an inference
tensor that autograd refuses, a second copy of a quantised one, or a shared cast buffer that the
next layer has overwritten by then. A and B are added into y where it stands, which spares the
three tensors of y's size that adding up modules would write.
"""

from __future__ import annotations

from typing import Any

import torch

from .lora import ADAPTER


def trainable_forward(
    layer: Any, compute_dtype: torch.dtype | None, x: torch.Tensor
) -> torch.Tensor:
    """``layer(x)`` for a ComfyUI linear, or for one that peft has put an adapter on.

    x: (…, in) in any floating dtype; the result (…, out) is in ``compute_dtype``, or in x's where
    that is None or nothing is trained through it.
    """
    base, down, up, scale = layer, None, None, 0.0
    if hasattr(layer, "lora_A"):
        base = layer.get_base_layer()
        down, up = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
        scale = float(layer.scaling[ADAPTER])
    elif not x.requires_grad:
        return type(base).forward(base, x)
    dtype = compute_dtype or x.dtype
    return _AdaptedLinear.apply(x, down, up, base, scale, dtype)


class _AdaptedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        down: torch.Tensor | None,
        up: torch.Tensor | None,
        layer: Any,
        scale: float,
        dtype: torch.dtype,
    ) -> torch.Tensor:
        ctx.layer, ctx.scale, ctx.input_dtype, ctx.dtype = layer, scale, x.dtype, dtype
        x = x.to(dtype)
        y = type(layer).forward(layer, x)
        if down is not None and up is not None:
            flat = x.flatten(0, -2)
            hidden = (flat @ down.to(dtype).t()) * scale
            y.view(-1, y.shape[-1]).addmm_(hidden, up.to(dtype).t())
            ctx.save_for_backward(flat, hidden, down, up)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        grad = grads[0].flatten(0, -2)
        grad_x = grad_down = grad_up = None
        if ctx.needs_input_grad[0]:
            grad_x = _through_weight(ctx.layer, grad)
        saved = ctx.saved_tensors
        if saved:
            flat, hidden, down, up = saved
            grad_hidden = (grad @ up.to(grad.dtype)) * ctx.scale
            grad_up = (grad.t() @ hidden).to(up.dtype)
            grad_down = (grad_hidden.t() @ flat).to(down.dtype)
            if grad_x is not None:
                grad_x.addmm_(grad_hidden, down.to(grad.dtype))
        if grad_x is not None:
            grad_x = grad_x.to(ctx.input_dtype).unflatten(0, grads[0].shape[:-1])
        return grad_x, grad_down, grad_up, None, None, None


def _through_weight(layer: Any, grad: torch.Tensor) -> torch.Tensor:
    import comfy.ops

    weight, bias, stream = comfy.ops.cast_bias_weight(
        layer, dtype=grad.dtype, device=grad.device, offloadable=True
    )
    result = grad @ weight
    comfy.ops.uncast_bias_weight(layer, weight, bias, stream)
    return result
