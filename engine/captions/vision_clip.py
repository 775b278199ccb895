"""A connected CLIP that answers questions about pictures, the way ComfyUI's own Generate Text does.

It takes one picture at a time: of several ComfyUI makes one question about all of them.
"""

from __future__ import annotations

from typing import Any

import torch

from ..comfyui.fingerprint import weights_digest
from ..core.errors import FacetError
from .vision import TOKENS


class ClipVisionModel:
    """``clip``: a comfy.sd.CLIP whose text encoder is a language model that sees pictures.

    Raises FacetError with a sentence when it writes no text, or does not see the pictures.
    """

    describes = False
    licence = ""

    def __init__(self, clip: Any) -> None:
        self.clip = clip
        encoders = [getattr(part, "transformer", None) for part in clip.cond_stage_model.modules()]
        writers = [encoder for encoder in encoders if hasattr(encoder, "generate")]
        if not writers:
            raise FacetError(
                "The CLIP connected to 'vlm' only encodes text and writes none. Connect one that "
                "sees and answers, such as Qwen3-VL, Qwen3.5 or Gemma 4 from a Load CLIP node, or "
                "choose a 'vlm_folder'."
            )
        self.name = type(writers[0]).__name__.strip("_")
        if not self._sees(writers[0]):
            raise FacetError(
                f"The CLIP connected to 'vlm' ({self.name}) drops the image and would answer "
                "blindly, as the text encoder of Qwen-Image does. Connect one that sees, such as "
                "Qwen3-VL, Qwen3.5 or Gemma 4, or choose a 'vlm_folder'."
            )
        patched = str(clip.patcher.patches_uuid) if clip.patcher.patches else ""
        self.digest = weights_digest(self.name + patched, clip.cond_stage_model.state_dict())

    def say(self, image: torch.Tensor, question: str) -> str:
        """What the model answers to ``question`` about ``image`` (H, W, 3) in 0..1."""
        tokens = self._tokens(question, image)
        written = self.clip.generate(tokens, do_sample=False, max_length=TOKENS, seed=0)
        return str(self.clip.decode(written))

    def _tokens(self, question: str, image: torch.Tensor) -> Any:
        return self.clip.tokenize(
            question, image=image[None], skip_template=False, min_length=1, thinking=False
        )

    def _sees(self, encoder: Any) -> bool:
        """Whether the picture is among what the language model is given."""
        if not hasattr(encoder, "preprocess_embed"):
            return False
        tokens = self._tokens("?", torch.zeros(64, 64, 3))
        batches = tokens.values() if isinstance(tokens, dict) else (tokens,)
        return any(
            isinstance(token[0], dict) and token[0].get("type") == "image"
            for batch in batches
            for row in batch
            for token in row
        )
