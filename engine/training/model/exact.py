"""Exact gradients through ComfyUI's own modules, with the user's weights left as they are.

ComfyUI writes its models for inference: residuals are added in place, weights are inference
tensors that may stream through one shared buffer. Each of these makes autograd refuse or, worse,
answer with a wrong gradient. What stands here undoes that for the length of a ``with``.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ...comfyui.internals import internal
from .forwards import adapted_forward
from .frozen import frozen_convolution, is_linear, refuse_closed_layers, trainable_forward

_CONVOLUTIONS = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)

# ``x += y`` arrives by the name of ``x.add_(y)``.
_OUT_OF_PLACE: dict[str, Callable[..., torch.Tensor]] = {
    "add_": torch.add,
    "sub_": torch.sub,
    "mul_": torch.mul,
}


class OutOfPlace(TorchFunctionMode):
    """Answers ``x += y``, ``x -= y`` and ``x *= y`` with a new tensor while gradients are kept.

    Flux and its relatives write ``img += …`` over a tensor that LayerNorm has kept for its
    backward pass, or that a checkpointed block has been given. A checkpoint hides that from
    autograd's version check, and the gradient comes out wrong without a word. An update of a slice
    has to reach the tensor that it is a part of, and stays in place: where backward needs what was
    there before, autograd says so, and so does ``checkpointed``. A model that drops the result of
    ``x.add_(y)`` computes something else under this, which ``Step.check_forward`` finds.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        replacement = _OUT_OF_PLACE.get(getattr(func, "__name__", ""))
        if replacement is not None and torch.is_grad_enabled() and not _is_slice(args[0]):
            return replacement(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _is_slice(tensor: torch.Tensor) -> bool:
    return tensor._base is not None and tensor._base.numel() != tensor.numel()


@contextlib.contextmanager
def exact_gradients(
    diffusion_model: torch.nn.Module,
    device: torch.device | None = None,
    compute_dtype: torch.dtype | None = None,
) -> Iterator[None]:
    """Readies a frozen ComfyUI model on ``device`` for exact backward passes; undone afterwards.

    Adapters have to be in place already, and the forward pass runs inside ``OutOfPlace``.
    ``compute_dtype`` is what the linear layers in the graph multiply in, and attention with them;
    None takes the dtype that their input has. Raises FacetError for layers without a backward
    pass.
    """
    import comfy.model_management as management
    import comfy.ops
    from peft.tuners.tuners_utils import BaseTunerLayer

    changed = Changes()
    was_training = management.in_training
    with torch.inference_mode(False), torch.enable_grad():
        try:
            # Fused rotary kernels have no backward; ComfyUI turns most of them off by this flag.
            management.in_training = True
            for name, function in plain_rotations():
                changed.set(vars(internal("ck")), name, function)
            refuse_closed_layers(diffusion_model, device)
            for module in diffusion_model.modules():
                castable = isinstance(module, comfy.ops.CastWeightBiasOp)
                forward: Callable[..., torch.Tensor]
                if isinstance(module, BaseTunerLayer):
                    forward = functools.partial(adapted_forward, module, compute_dtype)
                    changed.set(module.__dict__, "forward", forward)
                elif castable and is_linear(module):
                    forward = functools.partial(trainable_forward, module, compute_dtype)
                    changed.set(module.__dict__, "forward", forward)
                elif castable and isinstance(module, _CONVOLUTIONS):
                    forward = functools.partial(frozen_convolution, module)
                    changed.set(module.__dict__, "forward", forward)
                else:
                    changed.hold(module, device)
                if castable:
                    # Weights follow their input's dtype, which here may not be their own.
                    changed.set(module.__dict__, "comfy_cast_weights", True)
                    # Quantised ones would have their input rounded to as few bits.
                    changed.set(module.__dict__, "comfy_force_cast_weights", True)
            yield
        finally:
            management.in_training = was_training
            changed.undo()


def plain_rotations() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The rotary kernels of ComfyUI by name, each as the PyTorch operations that it stands for.

    Some models (Anima, Cosmos, JoyImage) call the kernels in training as well. What works in place
    is left as it is.
    """
    for name, function in vars(internal("rope")).items():
        if re.fullmatch(r"(apply|rms)_rope\w*[^_]", name):
            yield name, function


class Changes:
    """Entries changed in modules' own dictionaries, and the way back."""

    def __init__(self) -> None:
        self._before: list[tuple[dict[str, Any], str, Any]] = []

    def set(self, holder: dict[str, Any], name: str, value: Any) -> None:
        self._before.append((holder, name, holder.get(name, self)))
        holder[name] = value

    def hold(self, module: torch.nn.Module, device: torch.device | None) -> None:
        """Gives ``module`` tensors on ``device`` that autograd may keep and nothing overwrites.

        Outside of linear layers they are small, and backward needs them as they were.
        """
        for name, tensor in list(module._parameters.items()):
            if tensor is not None and _not_to_be_kept(tensor, device):
                copy = torch.nn.Parameter(tensor.to(device, copy=True), requires_grad=False)
                self.set(module._parameters, name, copy)
        for name, tensor in list(module._buffers.items()):
            if tensor is not None and _not_to_be_kept(tensor, device):
                self.set(module._buffers, name, tensor.to(device, copy=True))

    def undo(self) -> None:
        for holder, name, value in reversed(self._before):
            if value is self:
                holder.pop(name, None)
            else:
                holder[name] = value


def _not_to_be_kept(tensor: torch.Tensor, device: torch.device | None) -> bool:
    return tensor.is_inference() or (device is not None and tensor.device != device)
