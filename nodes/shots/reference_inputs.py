"""What the shooting nodes ask for about sampling of one's own, further references and words."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from comfy_api.latest import io

from ...engine.comfyui.sampling import CustomSampling
from ...engine.families.dialects import AUTO, names
from ..common.inputs import to_rgb


def reference_inputs() -> list[io.Input]:
    """Sampler, sigmas, references and prompt style, in the order in which they were added."""
    return [
        io.Sampler.Input(
            "sampler",
            optional=True,
            tooltip="A sampler of your own instead of sampler_name.",
        ),
        io.Sigmas.Input(
            "sigmas",
            optional=True,
            tooltip="A noise schedule of your own instead of scheduler and steps, and with img2img "
            "instead of denoise.",
        ),
        io.Image.Input(
            "references",
            optional=True,
            tooltip="Up to two more pictures that the model sees besides the original, as one "
            "batch. For reference_latents and qwen_edit.",
        ),
        io.Combo.Input(
            "prompt_style",
            options=[AUTO, *names()],
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip="In which words the model is asked. Auto goes by the class of the model where "
            "that says enough, and takes plain words otherwise; Kontext and the angles LoRAs have "
            "to be chosen.",
        ),
    ]


def custom_sampling(
    sampler: io.Sampler.Type | None, sigmas: torch.Tensor | None
) -> CustomSampling | None:
    """The user's own sampling, or None where neither is connected."""
    if sampler is None and sigmas is None:
        return None
    return CustomSampling(sampler, sigmas)


def reference_pictures(
    references: torch.Tensor | Sequence[torch.Tensor] | None,
) -> tuple[torch.Tensor, ...]:
    """Each picture (H, W, 3) of an IMAGE batch (B, H, W, C), or of several batches."""
    if references is None:
        return ()
    batches = [references] if isinstance(references, torch.Tensor) else references
    return tuple(to_rgb(picture) for batch in batches for picture in batch)
