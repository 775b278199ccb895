"""The model on its device, in the precision that training runs in, ready for a backward pass."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...comfyui.internals import internal
from ..data.buckets import patch_size
from .plan import GB, SPARE, available

# Below this many tokens a step, casting the weights costs a CPU what the faster products save.
_TOKENS_WORTH_BF16 = 256

# Up to this many tokens, attention that stores its matrix is faster on a CPU than fused attention.
_TOKENS_FOR_PLAIN_ATTENTION = 512


_REFUSALS = ("VRAM grow failed", "Fault failed")
"""How ComfyUI's dynamic loading says that there is no memory for a weight on its way."""

_NOT_TRAINED = {
    "torch.compile": "torch.compile",
    "easycache": "EasyCache",
    "lazycache": "LazyCache",
}
"""Keys of the wrappers that speed up sampling and stand in the way of a backward pass."""


def out_of_memory(error: Exception) -> bool:
    """Whether ``error`` says that a device has no memory left."""
    from comfy.model_management import is_oom

    refused = isinstance(error, RuntimeError) and str(error).startswith(_REFUSALS)
    return refused or isinstance(error, MemoryError) or bool(is_oom(error))


def left_out(model: Any) -> str:
    """A sentence about what of ``model``, a ModelPatcher, sampling alone uses; '' for nothing."""
    keys = {key for wrappers in model.wrappers.values() for key in wrappers}
    names = [name for key, name in _NOT_TRAINED.items() if key in keys]
    return (
        f"Trained without {' and '.join(names)}, which the model is sampled with." if names else ""
    )


@dataclass(frozen=True)
class Precision:
    """activations: dtype the model runs in; products: that of its linear layers; None as it is."""

    activations: torch.dtype | None = None
    products: torch.dtype | None = None


@dataclass(frozen=True)
class MemoryBudget:
    """What a training may take of the device.

    activations: bytes that a step keeps for its backward pass, and those of a LoRA with its
    optimizer. vram: GB to stay within, 0 for what is free. weights: whether ComfyUI shall put the
    model's own weights on the device.
    """

    activations: int = 0
    vram: float = 0.0
    weights: bool = True

    def left(self, model: Any) -> int | None:
        """Bytes for weights of ``model``, a ModelPatcher, beside the activations.

        None on a CPU, which has no other place.
        """
        free = available(model, self.vram)
        return None if free is None else max(0, free - self.activations - SPARE)


def activation_memory(
    model: Any, blocks: Iterable[torch.nn.Module], shape: tuple[int, ...], checkpointing: bool
) -> int:
    """Bytes that a step over latents of ``shape`` keeps for its backward pass, as an estimate.

    A share of every linear layer's input and output; with checkpointing of one block's, and each
    block's input. The share, counted where autograd keeps it at each family's own width: Flux 0.36,
    FLUX.2 Klein 0.46, Qwen-Image 0.23; of a UNet, with what its convolutions keep, up to 1.4.
    """
    from .frozen import is_linear

    # A transformer has up to 512 tokens of a prompt beside those of the latent's patches.
    tokens = shape[0] * (math.prod(shape[2:]) // patch_size(model) ** 2 + 512)
    share = 0.5
    if hasattr(model.diffusion_model, "input_blocks"):
        # A UNet has most of its layers where the sides are halved once more.
        tokens, share = shape[0] * (math.prod(shape[2:]) // 4 + 512) // 4, 1.5
    sizes, inputs = [], []
    for block in blocks:
        layers = [module for module in block.modules() if is_linear(module)]
        sizes.append(sum(layer.in_features + layer.out_features for layer in layers))
        inputs.append(min((layer.in_features for layer in layers), default=0))
    values = sum(inputs) + max(sizes, default=0) if checkpointing else sum(sizes)
    # Two bytes each on a GPU, where this matters.
    return int(share * 2 * tokens * values)


def choose_precision(wanted: str, model: Any, tokens: int = 0) -> Precision:
    """The dtypes for a setting of "auto", "fp32" or "bf16", a ModelPatcher and tokens a step.

    Auto takes bfloat16 products on a CPU with matrix units for it, bfloat16 in place of float16
    (whose gradients underflow), and else what the model runs in anyway.
    """
    import comfy.model_management as management

    if wanted == "fp32":
        return Precision(torch.float32, torch.float32)
    device = model.load_device
    if management.is_device_cpu(device):
        worth = tokens >= _TOKENS_WORTH_BF16 and _has_bf16_units()
        products = torch.bfloat16 if wanted == "bf16" or worth else None
        return Precision(torch.float32, products)
    if wanted == "bf16" or model.model.get_dtype_inference() == torch.float16:
        fits = management.should_use_bf16(device)
        dtype = torch.bfloat16 if fits else torch.float32
        return Precision(dtype, dtype)
    return Precision()


def _has_bf16_units() -> bool:
    check = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(check and check())


@contextlib.contextmanager
def loaded(
    model: Any,
    shape: tuple[int, ...],
    precision: Precision,
    budget: MemoryBudget = MemoryBudget(),
    beside: Sequence[Any] = (),
) -> Iterator[dict[str, Any]]:
    """``model`` (a ModelPatcher) on its device for latents of ``shape``, and its options.

    ``beside`` are ModelPatchers that are needed at the same time. ComfyUI streams the weights that
    do not fit beside what ``budget`` asks for. Yields the transformer options for ``apply_model``.
    Afterwards the model is as it was.
    """
    import comfy.model_management as management
    import comfy.model_patcher
    import comfy.patcher_extension

    # Activations kept for backward take about three times what a sampling step asks for.
    memory = max(3 * model.model.memory_required(list(shape)), budget.activations)
    if not management.is_device_cpu(model.load_device):
        total = management.get_total_memory(model.load_device)
        if not budget.weights:
            memory = total
        elif budget.vram:
            memory += max(0, int(total - budget.vram * GB))
    management.load_models_gpu([model, *beside], memory_required=memory)
    options = comfy.model_patcher.create_model_options_clone(model.model_options)
    transformer_options = options.setdefault("transformer_options", {})
    wrappers = {
        kind: {key: made for key, made in by_key.items() if key not in _NOT_TRAINED}
        for kind, by_key in model.wrappers.items()
    }
    comfy.patcher_extension.merge_nested_dicts(
        transformer_options.setdefault("wrappers", {}), wrappers, copy_dict1=False
    )
    transformer_options["optimized_attention_override"] = differentiable_attention
    transformer_options["cond_or_uncond"] = [0]
    before = model.model.manual_cast_dtype
    model.pre_run()
    try:
        if precision.activations is not None:
            model.model.manual_cast_dtype = precision.activations
        yield transformer_options
    finally:
        model.model.manual_cast_dtype = before
        model.cleanup()


def differentiable_attention(
    _chosen: Any, q: torch.Tensor, *args: Any, **kwargs: Any
) -> torch.Tensor:
    """PyTorch's attention, whatever the user samples with.

    Others have no backward pass, or cut their work into pieces by the memory that is free, which
    a checkpoint's second run would then cut otherwise.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel

    attention_pytorch = internal("attention_pytorch")

    if q.device.type == "cpu" and q.shape[-2] <= _TOKENS_FOR_PLAIN_ATTENTION:
        with sdpa_kernel(SDPBackend.MATH):
            return attention_pytorch(q, *args, **kwargs)
    return attention_pytorch(q, *args, **kwargs)
