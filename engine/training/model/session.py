"""The user's model as it is trained, and for a while as ComfyUI knows it."""

from __future__ import annotations

import contextlib
import functools
import math
import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from ...comfyui.internals import internal
from ...families.table import family_of
from ..data.buckets import patch_size
from ..data.pictures import TrainingSample
from ..settings import BASES, TrainingSettings
from .checkpoint import checkpointed
from .exact import exact_gradients
from .forwards import adapted_forward
from .fp8 import kept_in_fp8
from .loading import MemoryBudget, activation_memory, choose_precision, loaded
from .lora import Adapter, adapters, put_layers
from .plan import MemoryPlan, adapter_bytes, available
from .targets import transformer_blocks
from .text_encoder import TextEncoder

_KEY = "facet_training"
_, FP8 = BASES


class Session:
    """A model on its device with adapters in it, exact; a context manager.

    adapters: in the model for the length of the ``with``, and in ``text_encoder`` where that is
    trained too. options: for the model's ``transformer_options``. plan: of the device's memory,
    made before anything is loaded; None on a CPU.
    """

    plan: MemoryPlan | None
    adapters: list[Adapter]
    options: dict[str, Any]

    def __init__(
        self,
        model: Any,
        targets: tuple[str, ...],
        settings: TrainingSettings,
        samples: list[TrainingSample],
        text_encoder: TextEncoder | None = None,
    ) -> None:
        self._model = model
        self.text_encoder = text_encoder
        self._diffusion_model = model.model.diffusion_model
        self._targets = targets
        self._settings = settings
        largest = max((sample.latent for sample in samples), key=torch.Tensor.numel)
        together = settings.micro_batch or settings.batch_size
        self._shape = (together, *largest.shape[1:])
        tokens = together * math.prod(largest.shape[2:]) // patch_size(model.model) ** 2
        self._precision = choose_precision(settings.precision, model, tokens)
        self._blocks = transformer_blocks(self._diffusion_model, targets, family_of(model).layers)
        self._originals = {name: self._diffusion_model.get_submodule(name) for name in targets}
        self._outer = contextlib.ExitStack()
        self._loaded = contextlib.ExitStack()
        self._exact = contextlib.ExitStack()

    def __enter__(self) -> Session:
        self.plan = self._planned()
        if self.plan is not None and self.plan.checkpointing:
            self._settings = replace(self._settings, gradient_checkpointing=True)
        settings = self._settings
        with contextlib.ExitStack() as stack:
            stack.callback(self._loaded.close)
            self.options = self._load()
            self.adapters = stack.enter_context(
                adapters(
                    self._diffusion_model,
                    self._targets,
                    settings.rank,
                    settings.seed,
                    self._model.load_device,
                    settings.adapter,
                    settings.alpha,
                )
            )
            self._live = {n: self._diffusion_model.get_submodule(n) for n in self._targets}
            if self.text_encoder is not None:
                self.adapters += stack.enter_context(self.text_encoder.adapted())
            stack.callback(self._exact.close)
            self._make_exact()
            self._outer = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._outer.close()

    @property
    def checkpointing(self) -> bool:
        """Whether each block runs again in the backward pass, rather than keeping its values."""
        return self._settings.gradient_checkpointing

    def load_again(self, micro_batch: int, checkpointing: bool) -> None:
        """Loads the model anew for steps of ``micro_batch`` samples at once.

        checkpointing: whether each block runs again in the backward pass from now on. What ComfyUI
        has pushed off the device to make room for a step comes back to it only by loading.
        """
        with self.put_away():
            self._shape = (micro_batch, *self._shape[1:])
            self._settings = replace(self._settings, gradient_checkpointing=checkpointing)

    @contextlib.contextmanager
    def sampling_model(self) -> Iterator[Any]:
        """A clone of the model with the live adapters in it, for ComfyUI's own sampler.

        Meanwhile the model itself is as ComfyUI knows it, so that it may be moved off its device
        to make room. The adapters come and go as an injection: no weight is patched or copied.
        """
        with self.put_away():
            sampled = self._model.clone()
            sampled.set_injections(
                _KEY,
                [
                    internal("PatcherInjection")(
                        inject=lambda _: self._inject(),
                        eject=lambda _: put_layers(self._diffusion_model, self._originals),
                    )
                ],
            )
            try:
                with torch.inference_mode():
                    yield sampled
            finally:
                sampled.eject_model()
                for layer in self._live.values():
                    vars(layer).pop("forward", None)

    @contextlib.contextmanager
    def put_away(self) -> Iterator[None]:
        """The model as ComfyUI knows it, for a while, so that it may be moved off its device."""
        self._exact.close()
        put_layers(self._diffusion_model, self._originals)
        if self.text_encoder is not None:
            self.text_encoder.take_out()
        self._loaded.close()
        try:
            yield
        except Exception as error:
            # What its frames still hold would be in the way of loading.
            traceback.clear_frames(error.__traceback__)
            raise
        finally:
            self.options.update(self._load())
            put_layers(self._diffusion_model, self._live)
            if self.text_encoder is not None:
                self.text_encoder.put_in()
            self._make_exact()

    def _load(self) -> dict[str, Any]:
        beside = [] if self.text_encoder is None else [self.text_encoder.patcher]
        return self._loaded.enter_context(
            loaded(self._model, self._shape, self._precision, self._budget(), beside)
        )

    def _budget(self) -> MemoryBudget:
        settings = self._settings
        kept = self._kept(settings.gradient_checkpointing) + self._adapter_bytes()
        return MemoryBudget(kept, settings.vram, weights=settings.base != FP8)

    def _kept(self, checkpointing: bool) -> int:
        return activation_memory(self._model.model, self._blocks, self._shape, checkpointing)

    def _adapter_bytes(self) -> int:
        return adapter_bytes(self._originals.values(), self._settings.rank)

    def _planned(self) -> MemoryPlan | None:
        settings = self._settings
        device = available(self._model, settings.vram)
        if device is None:
            return None
        weights = self._model.model_size()
        if settings.base == FP8:
            weights = sum(weight.numel() for weight in self._diffusion_model.parameters())
        return MemoryPlan(
            device,
            weights,
            self._adapter_bytes(),
            self._kept(False),
            self._kept(True),
            settings.gradient_checkpointing,
        )

    def _make_exact(self) -> None:
        products = self._precision.products
        device = self._model.load_device
        if self._settings.base == FP8:
            left = self._budget().left(self._model)
            self._exact.enter_context(kept_in_fp8(self._diffusion_model, device, left))
        self._exact.enter_context(exact_gradients(self._diffusion_model, device, products))
        if self._settings.gradient_checkpointing:
            self._exact.enter_context(checkpointed(self._blocks))
        if self.text_encoder is not None:
            self._exact.enter_context(self.text_encoder.exact())

    def _inject(self) -> None:
        """Puts the adapters in as they run outside of a training."""
        put_layers(self._diffusion_model, self._live)
        for layer in self._live.values():
            vars(layer)["forward"] = functools.partial(adapted_forward, layer, None)
