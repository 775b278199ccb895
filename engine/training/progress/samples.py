"""Pictures that show how far a training is: the same prompts and noise each time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...comfyui.fingerprint import model_fingerprint
from ...comfyui.lora_names import LoraWeights
from ...comfyui.lora_place import with_lora
from ...comfyui.models import Models
from ...comfyui.sampling import Conditioning, Sampling, encode_prompt, sample
from ...core.character import Character, Tags
from ...core.errors import FacetError
from ...drawing.contact_sheet import side_by_side
from ...families import table
from ...families.modes import ReferenceMode, model_name
from ...store.images import png_bytes
from ...store.keys import key
from ...studio.sizes import to_sixteen
from ...studio.studio import Studio

FOLDER = "samples"
"""Where samples are, in the run's folder."""

_FIRST_SEED = 1
_COLUMNS = 4

# Clothes and places that few datasets show: likeness has to come from the face.
_SCENES = (
    Tags("close_up", "front", "neutral", "", "purple sweater", "plain grey background", "natural"),
    Tags("medium", "three_quarter_left", "smile", "standing", "green jacket", "in a park"),
    Tags("close_up", "three_quarter_right", "neutral", "", "orange t-shirt", "in a city"),
    Tags("medium", "front", "smile", "standing", "yellow hoodie", "on a beach", "natural"),
)


def prompts_for(character: Character, wanted: str) -> tuple[str, ...]:
    """The prompts of ``wanted``, one a line, with [trigger] and [class] replaced.

    Four of our own where it has none.
    """
    who = character.phrase
    lines = [line.strip() for line in wanted.splitlines() if line.strip()]
    if not lines:
        return tuple(", ".join([who, *tags.phrases()]) for tags in _SCENES)
    return tuple(
        line.replace("[trigger]", character.trigger).replace("[class]", character.class_word)
        for line in lines
    )


def usual_sampling(model: Any, side: int) -> Sampling:
    """How ``model`` (a ModelPatcher) is usually sampled, for squares of about ``side`` pixels.

    See ``families.table.usual_sampling``.
    """
    usual = table.usual_sampling(model)
    sampling = Sampling(
        steps=usual.steps, cfg=usual.cfg, scheduler=usual.scheduler, guidance=usual.guidance
    )
    return in_a_square(sampling, side)


def in_a_square(sampling: Sampling, side: int) -> Sampling:
    """``sampling`` with what is not set of its size: that of squares of about ``side`` pixels."""
    side = to_sixteen(side)
    return replace(sampling, width=sampling.width or side, height=sampling.height or side)


@dataclass(frozen=True)
class SampleRequest:
    """How the samples of one run are made: ``prompts``, in ``studio``, whose size is set.

    through: whether the studio's own MODEL makes them, with the LoRA so far on it, and not the one
    that is trained.
    """

    studio: Studio
    prompts: tuple[str, ...]
    through: bool = False

    @property
    def key(self) -> str:
        """What tells it from any other way, the same in the next process."""
        studio = self.studio
        return key(
            1,
            prompts=self.prompts,
            model=model_fingerprint(studio.model) if self.through else "",
            sampling=studio.sampling,
            custom=studio.custom,
            negative=studio.negative,
        )


def sample_request(
    models: Models,
    studio: Studio | None,
    prompts: tuple[str, ...],
    side: int,
    layers: Sequence[str],
) -> SampleRequest:
    """How a run that trains ``layers`` of ``models`` samples ``prompts``.

    studio: to sample in; None for the trained models, as is usual for them. side: in pixels, where
    the studio sets no size. A distilled model with a LoRA on it is shown without: that is a
    training adapter, which the finished LoRA is used without. Raises FacetError when a layer has no
    place in the studio's MODEL.
    """
    if studio is None:
        sampling = usual_sampling(models.model, side)
        studio = Studio(models.model, models.clip, models.vae, sampling, ReferenceMode.AUTO)
    if table.has_adapter(studio.model) and same_weights(studio.model, models.model):
        studio = replace(studio, model=without_patches(studio.model))
    through = not same_weights(studio.model, models.model)
    if through:
        _check_layers(models.model, studio.model, layers)
    studio = replace(studio, sampling=in_a_square(studio.sampling, side))
    return SampleRequest(studio, prompts, through)


def without_patches(model: Any) -> Any:
    """A clone of ``model``, a ModelPatcher, with its own weights alone."""
    clone = model.clone()
    clone.patches, clone.patches_uuid = {}, uuid.uuid4()
    return clone


def same_weights(one: Any, other: Any) -> bool:
    """Whether two ModelPatchers have one network with the same patches on it."""
    return one.model is other.model and one.patches_uuid == other.patches_uuid


def _check_layers(trained: Any, shown: Any, layers: Sequence[str]) -> None:
    """FacetError when a LoRA of ``layers`` of the first model does not fit the second."""
    for layer in layers:
        if _sides(trained, layer) != _sides(shown, layer):
            raise FacetError(
                f"The LoRA is trained in a {model_name(trained)} model and does not fit the "
                f"{model_name(shown)} model to look through, which has no such layer {layer!r}; "
                "connect a studio of the same model family to look_through."
            )


def _sides(model: Any, layer: str) -> tuple[int, ...]:
    """The sides of a layer's weight, however it is packed; () where the network has none."""
    try:
        found = model.model.diffusion_model.get_submodule(layer)
    except AttributeError:
        return ()
    if hasattr(found, "in_features"):
        return found.out_features, found.in_features
    return tuple(found.weight.shape)


@dataclass(frozen=True)
class TrainingSampler:
    """Makes the samples of one run. conditionings: (positive, negative) of each prompt."""

    request: SampleRequest
    conditionings: tuple[tuple[Conditioning, Conditioning], ...]

    @classmethod
    def encoding(cls, request: SampleRequest) -> TrainingSampler:
        """A sampler for ``request``, whose prompts are encoded now: the CLIP may then go."""
        studio = request.studio
        clip, guidance = studio.clip, studio.sampling.guidance
        with torch.inference_mode():
            negative = encode_prompt(clip, studio.negative, guidance)
            pairs = tuple(
                (encode_prompt(clip, prompt, guidance), negative) for prompt in request.prompts
            )
        return cls(request, pairs)

    def by(self, clip: Any) -> TrainingSampler:
        """The same with its prompts encoded by another CLIP."""
        studio = replace(self.request.studio, clip=clip)
        return TrainingSampler.encoding(replace(self.request, studio=studio))

    def make_with(self, lora: LoraWeights, text_encoder: bool) -> torch.Tensor:
        """What ``make`` gives of the studio's own MODEL with ``lora`` on it.

        text_encoder: whether ``lora`` is for the CLIP as well. Raises FacetError when it belongs to
        other models.
        """
        studio = self.request.studio
        model, clip = with_lora(studio.model, studio.clip, lora, 1.0)
        with torch.inference_mode():
            return (self.by(clip) if text_encoder else self).make(model)

    def make(self, model: Any) -> torch.Tensor:
        """One picture a prompt, (N, H, W, 3) in 0..1 on the CPU, by ComfyUI's own sampler.

        The global random state is left as it was.
        """
        device = torch.device(model.load_device)
        studio = self.request.studio
        kept = {} if device.type == "cpu" else {"device_type": device.type}
        with torch.random.fork_rng([device] if kept else [], **kept):
            made = [
                sample(
                    model,
                    studio.vae,
                    positive,
                    negative,
                    studio.sampling,
                    _FIRST_SEED + number,
                    custom=studio.custom,
                )
                for number, (positive, negative) in enumerate(self.conditionings)
            ]
        return torch.cat(made)


def sheet_bytes(pictures: torch.Tensor, prompts: Sequence[str], step: int) -> bytes:
    """``pictures`` (N, H, W, 3) in 0..1 beside each other as a PNG file that has their prompts."""
    sheet = side_by_side(pictures, _COLUMNS)
    return png_bytes(sheet, json.dumps({"step": step, "prompts": list(prompts)}))
