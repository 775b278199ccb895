"""Models that look at a picture and say something about it, and what they said before."""

from __future__ import annotations

import re
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import comfyui_version
import torch

from ..comfyui.fingerprint import weights_digest
from ..core.errors import FacetError
from ..store.files import write_json_atomic
from ..store.json_files import MANY, read_json

FILE = "captions_seen.json"
TOKENS = 96
"""No answer is longer, in tokens of the model."""
PIXELS = 1024 * 1024
"""No picture is shown with more; what models look at is smaller still."""
KEPT_EVERY = 5.0
"""Seconds of asking that a crash may cost."""


class VisionModel(Protocol):
    """Says something about pictures.

    name: what people call it. licence: what it may be used for, '' when nobody says. digest:
    changes when the model does, or what runs it. describes: it takes no questions and says what it
    sees.
    """

    name: str
    licence: str
    digest: str
    describes: bool

    def say(self, image: torch.Tensor, question: str) -> str:
        """What the model answers to ``question`` about ``image`` (H, W, 3) in 0..1."""


class Memory:
    """Answers of models, by the hashes of the pictures, in a file in the character's folder.

    Raises FacetError when the file is there and does not hold answers.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.known: dict[str, dict[str, dict[str, str]]] = {}
        self.changed, self.kept = False, monotonic()
        if self.path.is_file():
            try:
                self.known = read_json(self.path, MANY)
                for models in self.known.values():
                    for answers in models.values():
                        dict[str, str](answers)
            except (ValueError, TypeError, AttributeError) as error:
                raise FacetError(
                    f"{self.path} cannot be read ({error}); delete it: the model is asked again."
                ) from error

    def answer(self, picture: str, image: torch.Tensor, model: VisionModel, question: str) -> str:
        """What ``model`` says about the picture of that hash; '' for an answer without a word,
        which is not kept: the next run asks again.
        """
        answers = self.known.setdefault(picture, {}).setdefault(model.digest, {})
        if not says_anything(answers.get(question, "")):
            answer = model.say(shown(image), question)
            if not says_anything(answer):
                return ""
            answers[question], self.changed = answer, True
        return answers[question]

    def keep(self, every: float = 0) -> None:
        """Writes down what was learnt, when the last time is ``every`` seconds ago or longer."""
        if self.changed and monotonic() - self.kept >= every:
            write_json_atomic(self.path, self.known)
            self.changed, self.kept = False, monotonic()


def says_anything(answer: str) -> bool:
    """Whether ``answer`` has a word, and is not empty or made of a model's own marks alone."""
    return re.search(r"[^\W_]", re.sub(r"<[^<>]*>", "", answer)) is not None


def shown(image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3), smaller when it has more than ``PIXELS``."""
    height, width = image.shape[:2]
    scale = (PIXELS / (height * width)) ** 0.5
    if scale >= 1:
        return image
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = torch.nn.functional.interpolate(image.movedim(-1, 0)[None], size, mode="area")
    return small[0].movedim(0, -1)


class ClipVisionModel:
    """A connected CLIP that answers, the way ComfyUI's own Generate Text does.

    ``clip``: a comfy.sd.CLIP whose text encoder is a language model that sees pictures; of several
    pictures at a time ComfyUI makes one question about all of them.
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
        # Another ComfyUI may run the same weights otherwise, as it may have mended a fault.
        made_by = f"{self.name}{patched} {comfyui_version.__version__}"
        self.digest = weights_digest(made_by, clip.cond_stage_model.state_dict())

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
