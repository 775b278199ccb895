"""How a model is shown the reference picture."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...comfyui.sampling import Conditioning, encode_prompt, tokenized, with_reference
from ...core.character import Character, Tags
from ...core.errors import FacetError
from ...families.dialects import AUTO, Dialect, dialect_for
from ...families.modes import (
    MOST_PICTURES,
    TAKES_SEVERAL,
    ReferenceMode,
    called,
    reference_method,
    resolve_mode,
)
from ...families.table import family_of
from ...studio.sizes import Fitting, canvas_for, fitting

VISION_PIXELS = 384 * 384
"""Area of the pictures that the text encoder of Qwen-Image-Edit reads (Qwen-Image-Edit-2509)."""

IMAGE_TOKEN = "<|vision_start|><|image_pad|><|vision_end|>"


@dataclass(frozen=True)
class Reference:
    """A model's view of the original: what to add to the conditioning, what to start from.

    latents: reference latents (1, C, h, w), or the pictures for a model without latents.
    seen: pictures (1, h, w, 3) that the text encoder reads. start: a latent to start from, or None
    for noise. fitting: where the original lies on the canvas that was shown, None when it was not.
    """

    mode: ReferenceMode
    dialect: Dialect
    class_word: str
    latents: tuple[torch.Tensor, ...] = ()
    seen: tuple[torch.Tensor, ...] = ()
    start: torch.Tensor | None = None
    denoise: float = 1.0
    fitting: Fitting | None = None
    method: str | None = None

    def prompt(self, tags: Tags, instruction: str = "", stronger: Collection[str] = ()) -> str:
        """The words for a shot; see ``Dialect.prompt``."""
        return self.dialect.prompt(tags, self.class_word, bool(self.latents), instruction, stronger)

    def without_border(self, image: torch.Tensor) -> torch.Tensor:
        """``image`` (H, W, 3) without what was added to the original to fill the canvas."""
        if self.fitting is None or self.fitting.canvas != (image.shape[1], image.shape[0]):
            return image
        return self.fitting.content(image)

    def check(self, clip: Any) -> None:
        """Raises FacetError when ``clip`` has to read the pictures and cannot."""
        if self.seen:
            _looking(clip, "", self.seen)

    def conditioning(self, clip: Any, text: str, guidance: float | None = None) -> Conditioning:
        """``text`` as CONDITIONING, with the reference in it.

        Raises FacetError when the text encoder has to read pictures and cannot.
        """
        if self.seen:
            conditioning = encode_prompt(clip, text, guidance, _looking(clip, text, self.seen))
        else:
            conditioning = encode_prompt(clip, text, guidance)
        if self.latents:
            conditioning = with_reference(conditioning, self.latents, self.method)
        return conditioning


def reference_for(
    mode: ReferenceMode,
    model: Any,
    vae: Any,
    character: Character,
    width: int,
    height: int,
    denoise: float = 0.75,
    references: Sequence[torch.Tensor] = (),
    style: str = AUTO,
) -> Reference:
    """Prepares the original of ``character`` for ``model``, for shots of ``width`` by ``height``.

    references: more pictures (H, W, 3), for the modes that take several. style: the name of a
    prompt dialect. Raises FacetError with a sentence when mode, model and pictures do not fit.
    """
    resolved = resolve_mode(mode, model)
    if references and resolved not in TAKES_SEVERAL:
        raise FacetError(
            f"The mode {resolved.value!r} takes no further references; disconnect them, or set "
            "reference_mode to 'reference_latents' or 'qwen_edit' with an edit model."
        )
    if len(references) >= MOST_PICTURES:
        raise FacetError(
            f"{len(references)} further references are connected; give at most "
            f"{MOST_PICTURES - 1} besides the original."
        )
    dialect = dialect_for(style, model, resolved.value)
    if resolved in (ReferenceMode.PATCHED_MODEL, ReferenceMode.TRAINED_LORA):
        return Reference(resolved, dialect, called(resolved, character))
    original = character.source.image
    canvas = (width, height)
    if dialect.reference_pixels and resolved is not ReferenceMode.IMG2IMG:
        canvas = canvas_for(original.shape[1], original.shape[0], dialect.reference_pixels)
    laid = fitting((original.shape[1], original.shape[0]), canvas)
    if resolved is ReferenceMode.IMG2IMG:
        latent = vae.encode(laid.apply(original)[None])
        return Reference(resolved, dialect, character.class_word, (), (), latent, denoise, laid)
    pictures = [laid.apply(original)[None]]
    for picture in references:
        size = canvas_for(picture.shape[1], picture.shape[0], canvas[0] * canvas[1])
        pictures.append(fitting((picture.shape[1], picture.shape[0]), size).apply(picture)[None])
    pixels = family_of(model).takes_images
    return Reference(
        resolved,
        dialect,
        character.class_word,
        tuple(pictures) if pixels else tuple(map(vae.encode, pictures)),
        tuple(map(_for_vision, (original, *references)))
        if resolved is ReferenceMode.QWEN_EDIT
        else (),
        fitting=laid,
        method=reference_method(model),
    )


def _for_vision(picture: torch.Tensor) -> torch.Tensor:
    """``picture`` (H, W, 3) in the size that the text encoder reads, as a batch of one."""
    import comfy.utils

    height, width = picture.shape[:2]
    scale = math.sqrt(VISION_PIXELS / (width * height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = comfy.utils.common_upscale(picture.movedim(-1, 0)[None], *size, "area", "disabled")
    return small.movedim(1, -1)


def _looking(clip: Any, text: str, pictures: Sequence[torch.Tensor]) -> Any:
    """The tokens of ``text`` after ``pictures``, as ComfyUI's TextEncodeQwenImageEditPlus does."""
    template = getattr(clip.tokenizer, "llama_template_images", "").replace(IMAGE_TOKEN, "")
    named = "".join(f"Picture {number}: {IMAGE_TOKEN}" for number in range(1, len(pictures) + 1))
    tokens: dict[str, Any] = {}
    if template:
        tokens = tokenized(clip, named + text, images=list(pictures), llama_template=template)
    entries = [entry[0] for rows in tokens.values() for row in rows for entry in row]
    read = sum(isinstance(entry, dict) and entry.get("type") == "image" for entry in entries)
    if read != len(pictures):
        raise FacetError(
            "The CLIP does not read pictures; for 'qwen_edit' load Qwen2.5-VL 7B with the CLIP "
            "loader's type 'qwen_image'."
        )
    return tokens


class PromptEncoder:
    """Encodes prompts for one model, each once: with the original in them, or without it."""

    def __init__(self, reference: Reference, clip: Any, guidance: float | None) -> None:
        self.reference, self.clip, self.guidance = reference, clip, guidance
        self._encoded: dict[tuple[str, bool], Conditioning] = {}

    def __call__(self, text: str, seen: bool) -> Conditioning:
        """``text`` as CONDITIONING, with the original in it when it is ``seen``."""
        if (text, seen) not in self._encoded:
            self._encoded[text, seen] = (
                self.reference.conditioning(self.clip, text, self.guidance)
                if seen
                else encode_prompt(self.clip, text, self.guidance)
            )
        return self._encoded[text, seen]
