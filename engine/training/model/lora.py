"""Low-rank adapters inside the user's own model, and the model handed back as it was."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..settings import ADAPTERS
from .forwards import ADAPTER, column_norms

LORA, DORA, RSLORA, LOKR, LOHA = ADAPTERS

# Factor of the smaller Kronecker matrix: 8 x 8 leaves the rank to the larger one.
_KRONECKER_FACTOR = 8

TEXT_ENCODERS = "text_encoders."
"""What ComfyUI puts before the names of text encoders' layers."""

_FILE_NAMES = {"lora_A": "lora_down.weight", "lora_B": "lora_up.weight"}


@dataclass(frozen=True, eq=False)
class Adapter:
    """One adapted layer: what is trained of it, float32, and how it is written down.

    module: the layer's name, which starts with ``TEXT_ENCODERS`` for one of a text encoder.
    values: the trained parameters by the suffix that ComfyUI reads them by, such as
    ``lora_down.weight`` (rank, in) and ``lora_up.weight`` (out, rank). alpha: the file's, which
    the rank divides; None where ComfyUI takes no scale.
    """

    module: str
    values: dict[str, torch.nn.Parameter]
    alpha: float | None

    @property
    def of_text_encoder(self) -> bool:
        """Whether it is in a text encoder rather than in the diffusion model."""
        return self.module.startswith(TEXT_ENCODERS)

    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """What is trained, by name; the same names in the same order for every layer."""
        return dict(self.values)

    def file_tensors(self, values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The tensors of a LoRA file by suffix, for ``values`` named as ``parameters`` are."""
        tensors = {name: values[name] for name in self.values}
        if self.alpha is not None:
            tensors["alpha"] = torch.tensor(self.alpha)
        return tensors


@contextlib.contextmanager
def adapters(
    diffusion_model: torch.nn.Module,
    targets: tuple[str, ...],
    rank: int,
    seed: int,
    device: torch.device | None = None,
    kind: str = LORA,
    alpha: float = 0.0,
) -> Iterator[list[Adapter]]:
    """The adapters of ``targets`` on ``device``, in place for the length of the ``with``.

    ``kind`` is one of ``settings.ADAPTERS``. ``alpha`` over the rank is the scale, over its root
    for rsLoRA; 0 stands for the rank, so that strength 1 is what was trained. Every kind starts
    as no change at all, drawn from ``seed``. Afterwards the model has its own layers back, also
    when an error or a cancel ends the ``with``. Raises ModuleNotFoundError without peft.
    """
    try:
        from peft import inject_adapter_in_model
    except ImportError as error:
        raise ModuleNotFoundError(
            "training needs the package peft, which cannot be imported here; install it with "
            "'pip install peft' in ComfyUI's Python environment."
        ) from error

    originals = {name: diffusion_model.get_submodule(name) for name in targets}
    # peft sees layers of the same shape without weights: the model's own may be quantised, or of a
    # kind that peft does not know. It draws a start from the global generator, which is ComfyUI's.
    shapes = torch.nn.ModuleList(_shape_of(original) for original in originals.values())
    config = _config(kind, rank, alpha or float(rank), len(shapes))
    with torch.random.fork_rng(devices=[]):
        inject_adapter_in_model(config, shapes, adapter_name=ADAPTER, low_cpu_mem_usage=True)
    generator = torch.Generator().manual_seed(seed % 2**63)
    made = []
    try:
        for (name, original), layer in zip(originals.items(), shapes, strict=True):
            layer.base_layer = original
            made.append(_started(name, layer, kind, rank, generator, device))
            put_layers(diffusion_model, {name: layer})
        yield made
    finally:
        put_layers(diffusion_model, originals)


def put_layers(model: torch.nn.Module, layers: Mapping[str, torch.nn.Module]) -> None:
    """Puts ``layers`` into ``model`` in place of those of the same names."""
    for name, layer in layers.items():
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer)


def _shape_of(layer: Any) -> torch.nn.Module:
    if isinstance(layer, torch.nn.Conv2d):
        return torch.nn.Conv2d(
            layer.in_channels,
            layer.out_channels,
            layer.kernel_size,  # type: ignore[arg-type]
            layer.stride,  # type: ignore[arg-type]
            layer.padding,  # type: ignore[arg-type]
            layer.dilation,  # type: ignore[arg-type]
            bias=False,
            device="meta",
        )
    return torch.nn.Linear(layer.in_features, layer.out_features, bias=False, device="meta")


@contextlib.contextmanager
def adapters_off(diffusion_model: torch.nn.Module) -> Iterator[None]:
    """The model as it is without its adapters, for the length of the ``with``."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [layer for layer in diffusion_model.modules() if isinstance(layer, BaseTunerLayer)]
    before = [layer._disable_adapters for layer in layers]
    try:
        for layer in layers:
            # peft's own switch also drops requires_grad, which an optimizer is holding on to.
            layer._disable_adapters = True
        yield
    finally:
        for layer, value in zip(layers, before, strict=True):
            layer._disable_adapters = value


def _config(kind: str, rank: int, alpha: float, count: int) -> Any:
    from peft import LoHaConfig, LoKrConfig, LoraConfig

    # peft computes with fractions, whatever its annotations say.
    given: dict[str, Any] = {
        "r": rank,
        "lora_alpha" if kind in (LORA, DORA, RSLORA) else "alpha": alpha,
        "target_modules": [str(index) for index in range(count)],
    }
    if kind == LOKR:
        return LoKrConfig(**given, decompose_factor=_KRONECKER_FACTOR)
    if kind == LOHA:
        return LoHaConfig(**given)
    # peft's own DoRA takes norms over another axis, and leaves them out of the gradient.
    return LoraConfig(**given, use_rslora=kind == RSLORA)


def _started(
    name: str,
    layer: Any,
    kind: str,
    rank: int,
    generator: torch.Generator,
    device: torch.device | None,
) -> Adapter:
    """The adapter of one layer that peft has made, at its start."""
    start: dict[str, torch.nn.Parameter] = {}
    held = {part: getattr(layer, part) for part in layer.adapter_layer_names}
    held = {part: of for part, of in held.items() if ADAPTER in of}
    for part, of in held.items():
        name_in_file = _FILE_NAMES.get(part, part)
        shape = getattr(of[ADAPTER], "weight", of[ADAPTER]).shape
        whole = part == "lokr_w2" and "lokr_w1" in held
        first = _first_values(name_in_file, shape, whole, generator).to(device)
        start[name_in_file] = torch.nn.Parameter(first)
        if name_in_file == part:
            of[ADAPTER] = start[part]
        else:
            of[ADAPTER].weight = start[name_in_file]
    alpha: float | None = layer.scaling[ADAPTER] * rank
    if kind == DORA:
        square = column_norms(layer.get_base_layer(), start["lora_up.weight"].device)
        layer.weight_square = square
        magnitude = torch.nn.Parameter(square.sqrt())
        layer.magnitude = start["dora_scale"] = magnitude
    if "lokr_w1" in start and "lokr_w2" in start:
        # Two whole matrices have no rank to scale by, and ComfyUI takes them as they are.
        layer.scaling[ADAPTER] = 1.0
        alpha = None
    return Adapter(name, start, alpha)


def _first_values(
    part: str, shape: torch.Size, whole: bool, generator: torch.Generator
) -> torch.Tensor:
    """The start of one parameter: one factor of every product is zero.

    LoRA: Hu et al. 2021, section 4.1, as peft draws it. LoKr and LoHa: as LyCORIS draws them, for
    which the usual learning rates hold.
    """
    if whole or part in {"lora_up.weight", "lokr_w2_b", "hada_w2_a"}:
        return torch.zeros(shape)
    values = torch.empty(shape)
    if part.startswith("hada_"):
        return values.normal_(0, 0.1 if part == "hada_w1_a" else 1.0, generator=generator)
    bound = 1 / math.sqrt(shape[1:].numel())
    return values.uniform_(-bound, bound, generator=generator)
