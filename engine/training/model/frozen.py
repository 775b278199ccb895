"""Frozen layers that keep no weight for their backward pass.

A linear layer, with a low-rank adapter or without, is one step of autograd:

    y = W x + b + scale · B A x

W is not kept for the backward pass but asked of ComfyUI again: a kept weight would be an inference
tensor that autograd refuses, a second copy of a quantised one, or a shared cast buffer that the
next layer has overwritten by then. A and B are added into y where it stands, which spares the
three tensors of y's size that adding up modules would write. Half of a UNet is convolutions, whose
weights are asked for again in the same way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from ...core.errors import FacetError


def is_linear(module: torch.nn.Module) -> bool:
    """Whether ``module`` multiplies by one matrix: PyTorch's layers and ComfyUI's quantised ones,
    which are not derived from them."""
    import comfy.ops

    if isinstance(module, torch.nn.Linear):
        return True
    weight = getattr(module, "weight", None)
    return (
        isinstance(module, comfy.ops.CastWeightBiasOp)
        and hasattr(module, "in_features")
        and hasattr(module, "out_features")
        and weight is not None
        and weight.ndim == 2
    )


@contextlib.contextmanager
def cast_weight(layer: Any, dtype: torch.dtype, device: torch.device) -> Iterator[torch.Tensor]:
    """The weight of ``layer`` as ComfyUI hands it out, for the length of a ``with``."""
    import comfy.ops

    held = comfy.ops.cast_bias_weight(layer, dtype=dtype, device=device, offloadable=True)
    try:
        yield held[0]
    finally:
        comfy.ops.uncast_bias_weight(layer, *held)


def trainable_forward(
    layer: Any, compute_dtype: torch.dtype | None, x: torch.Tensor
) -> torch.Tensor:
    """``layer(x)`` for a frozen linear of ComfyUI's.

    x: (…, in) in any floating dtype; the result (…, out) is in ``compute_dtype``, or in x's where
    that is None or nothing is trained through it.
    """
    if not x.requires_grad:
        return _own_forward(layer, x)
    return _AdaptedLinear.apply(x, None, None, layer, 0.0, compute_dtype or x.dtype)


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
        y = _own_forward(layer, x)
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
            grad_x = through_weight(ctx.layer, grad)
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


def _own_forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """``layer(x)`` by the layer's whole weight.

    Fast fp8 would round x to eight bits, and clamp it where it stands for whoever else has it.
    """
    import comfy.ops

    if isinstance(layer, comfy.ops.fp8_ops.Linear):
        return comfy.ops.manual_cast.Linear.forward_comfy_cast_weights(layer, x)
    return type(layer).forward(layer, x)


def through_weight(layer: Any, grad: torch.Tensor) -> torch.Tensor:
    """The gradient (n, in) of the input of a linear ``layer``, from that of its output (n, out)."""
    import comfy.ops

    if not is_of_comfyui(layer):
        return _through_forward(layer, grad)
    with cast_weight(layer, grad.dtype, grad.device) as weight:
        # A quantised weight in the wanted dtype is handed out as it is.
        whole = weight.dequantize() if isinstance(weight, comfy.ops.QuantizedTensor) else weight
        result = grad @ whole
    smoothing = getattr(layer, "pre_quant_scale", None)
    if smoothing is not None:
        result = result * smoothing.to(result)
    return result


def is_of_comfyui(layer: Any) -> bool:
    """Whether ComfyUI itself hands out the layer's weight; other packs bring layers that unpack
    theirs in a way of their own."""
    return type(layer).__module__ == "comfy.ops"


def refuse_closed_layers(model: torch.nn.Module, device: torch.device | None) -> None:
    """Raises FacetError when ``model`` has linear layers that autograd cannot follow."""
    import comfy.ops

    tried = set()
    for module in model.modules():
        known = is_of_comfyui(module) or not isinstance(module, comfy.ops.CastWeightBiasOp)
        if known or not is_linear(module) or type(module) in tried:
            continue
        tried.add(type(module))
        kind = f"{type(module).__module__}.{type(module).__qualname__}"
        try:
            _through_forward(module, torch.zeros(1, module.out_features, device=device))
        except (RuntimeError, NotImplementedError) as error:
            raise FacetError(
                f"This model's layers ({kind}) have no backward pass ({error}), so it cannot be "
                "trained; load the same model from a file in bf16, fp16 or fp8."
            ) from error


def _through_forward(layer: Any, grad: torch.Tensor) -> torch.Tensor:
    """As ``through_weight``, for any layer that is linear and that autograd can follow."""
    held = dict(layer._parameters)
    try:
        for name, tensor in held.items():
            # Autograd keeps no inference tensor; a layer that unpacks its weight makes another.
            if tensor is not None and tensor.is_floating_point() and tensor.is_inference():
                plain = tensor.detach().as_subclass(torch.Tensor).clone()
                layer._parameters[name] = torch.nn.Parameter(plain, requires_grad=False)
        with torch.enable_grad():
            # The gradient of a linear function is the same everywhere, so also at zero.
            x = grad.new_zeros(len(grad), layer.in_features, requires_grad=True)
            y = type(layer).forward(layer, x)
            return torch.autograd.grad(y, x, grad.to(y.dtype))[0]
    finally:
        layer._parameters.update(held)


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
        layer, (grad,) = ctx.layer, grads
        # Only the shape of the input is read.
        shape = grad.new_empty(1).expand(ctx.shape)
        geometry = (layer.stride, layer.padding, layer.dilation, False, [0], layer.groups)
        with cast_weight(layer, grad.dtype, grad.device) as weight:
            result, _, _ = torch.ops.aten.convolution_backward(
                grad, shape, weight, None, *geometry, (True, False, False)
            )
        return result.to(ctx.dtype), None
