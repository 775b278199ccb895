"""A vision-language model from a local folder in the layout of the transformers library.

Nothing is downloaded, no code that comes with a model is run, and only safetensors are read.
Models with a chat template answer questions (Qwen-VL, LLaVA and JoyCaption, SmolVLM, Gemma 3 and
their like); Florence-2, BLIP and other captioners describe the picture.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ..comfyui.fingerprint import folder_digest
from ..core.character import quantise
from ..core.errors import FacetError
from ..store.json_files import MANY, read_json
from .vision import TOKENS

PROCESSORS = ("processor_config.json", "preprocessor_config.json")
TEMPLATES = ("chat_template.jinja", "chat_template.json")
DEPTH = 3
"""So many folders deep others keep theirs, such as LLM/Qwen-VL/Qwen3-VL-4B-Instruct."""
TASKS = {"florence2": "<MORE_DETAILED_CAPTION>"}
_UNLOADABLE = (OSError, ValueError, KeyError, ImportError, RuntimeError, AttributeError, TypeError)
DESCRIPTION_TOKENS = 256


def is_model(folder: Path) -> bool:
    """Whether ``folder`` holds a model that can be read: its description, processor and weights."""
    there = _open(folder) and (folder / "config.json").is_file()
    weights = there and any(folder.glob("*.safetensors"))
    return bool(weights) and any((folder / name).is_file() for name in PROCESSORS)


def model_folders(root: Path, depth: int = DEPTH) -> list[str]:
    """The models below ``root``, each by its path from there with '/' between folders."""
    found: list[str] = []
    if depth and _open(root):
        for folder in sorted(root.iterdir()):
            if is_model(folder):
                found.append(folder.name)
            elif folder.is_dir() and not folder.name.startswith("."):
                found += [f"{folder.name}/{name}" for name in model_folders(folder, depth - 1)]
    return found


def _open(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def licence_of(folder: Path) -> str:
    """What the folder says about its licence: its README's front matter, or a LICENSE file."""
    readme = folder / "README.md"
    if readme.is_file():
        text = readme.read_text("utf-8", errors="replace")
        front = re.match(r"\s*---\s*\n(.*?)\n---\s*(?:\n|$)", text, re.DOTALL)
        line = re.compile(r"^(license(?:_name)?):\s*(\S.*?)\s*$", re.MULTILINE)
        said = dict(line.findall(front[1] if front else ""))
        name = said.get("license", "")
        name = said.get("license_name", name) if name in ("", "other") else name
        if name:
            return name.strip("\"'")
    for path in sorted((*folder.glob("LICEN[CS]E*"), *folder.glob("licen[cs]e*"))):
        if path.is_file():
            lines = path.read_text("utf-8", errors="replace").splitlines()
            return next((line.strip() for line in lines if line.strip()), "")[:100]
    return ""


def has_template(folder: Path) -> bool:
    """Whether the model takes questions: it has a template for a conversation."""
    if any((folder / name).is_file() for name in TEMPLATES):
        return True
    told = [folder / name for name in (*PROCESSORS, "tokenizer_config.json")]
    return any("chat_template" in told_in(path) for path in told if path.is_file())


def told_in(path: Path) -> dict[str, Any]:
    """What the file holds; FacetError with a sentence when it is damaged."""
    try:
        found = read_json(path, MANY)
    except ValueError as problem:
        raise FacetError(f"{problem} Download the folder again.") from problem
    return found if isinstance(found, dict) else {}


class FolderVisionModel:
    """The model in ``folder``, called ``name``; loaded when it is asked for the first time.

    Raises FacetError with a sentence when it cannot be used.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        if not is_model(folder):
            raise FacetError(
                f"{folder} holds no model of the transformers library: config.json, a processor's "
                "configuration and safetensors are needed."
            )
        self.config = told_in(folder / "config.json")
        if "quantization_config" in self.config:
            raise FacetError(
                f"The weights of {name!r} are quantised, which is not supported; take the folder "
                "of the model with its plain weights."
            )
        self.kind = str(self.config.get("model_type", ""))
        self.licence = licence_of(folder)
        made_by = f"{version('transformers')} {TASKS.get(self.kind, '')}"
        self.digest = f"{folder_digest(folder)} {made_by}"
        self.describes = self.kind in TASKS or not has_template(folder)

    def say(self, image: torch.Tensor, question: str) -> str:
        """What the model says about ``image`` (H, W, 3) in 0..1: an answer or a description."""
        from PIL import Image

        loaded = self._loaded
        loaded.to_device()
        picture = Image.fromarray(quantise(image).cpu().numpy())
        if self.describes:
            text = TASKS.get(self.kind)
            given = {"text": [text]} if text else {}
        else:
            given = {"text": [_prompt(loaded.processor, question)]}
        inputs = loaded.processor(images=[picture], return_tensors="pt", **given)
        written = loaded.generate(inputs, DESCRIPTION_TOKENS if self.describes else TOKENS)
        if not self.describes:
            written = written[:, inputs["input_ids"].shape[1] :]
        return str(loaded.processor.batch_decode(written, skip_special_tokens=True)[0]).strip()

    @cached_property
    def _loaded(self) -> LoadedVlm:
        """The model and its processor, on the CPU."""
        from comfy import model_management
        from transformers import AutoModelForImageTextToText, AutoProcessor

        device = model_management.get_torch_device()
        own: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            processor = AutoProcessor.from_pretrained(self.folder, **own)
            model, info = AutoModelForImageTextToText.from_pretrained(
                self.folder,
                dtype=_dtype(device),
                use_safetensors=True,
                output_loading_info=True,
                **own,
            )
        except _UNLOADABLE as problem:
            reason = str(problem).strip().splitlines()[:1]
            raise FacetError(
                f"The model {self.name!r} ({self.kind or 'of no known kind'}) cannot be loaded "
                f"without running code of its own or a download: {''.join(reason)[:200]} Take a "
                "Qwen-VL, LLaVA, JoyCaption, BLIP or 'florence-community' Florence-2 folder."
            ) from problem
        if info["missing_keys"]:
            raise FacetError(
                f"The model {self.name!r} lacks {len(info['missing_keys'])} of its weights, such "
                f"as {sorted(info['missing_keys'])[0]}; download its folder again, for Florence-2 "
                "one of 'florence-community'."
            )
        return LoadedVlm.on(model.eval(), processor, device)


@dataclass(frozen=True)
class LoadedVlm:
    """A model with its processor, in the hands of ComfyUI's memory management."""

    model: Any
    processor: Any
    patcher: Any

    @classmethod
    def on(cls, model: Any, processor: Any, device: torch.device) -> LoadedVlm:
        """``model``, to run on ``device`` and to wait on the CPU."""
        from comfy.model_management import text_encoder_offload_device
        from comfy.model_patcher import ModelPatcher

        # ComfyUI writes down the device on the module, where transformers has a property.
        held = torch.nn.ModuleDict({"model": model})
        return cls(model, processor, ModelPatcher(held, device, text_encoder_offload_device()))

    def to_device(self) -> None:
        from comfy.model_management import load_models_gpu

        load_models_gpu([self.patcher], force_full_load=True)

    def generate(self, inputs: Any, most: int) -> torch.Tensor:
        """Up to ``most`` tokens (1, N), always the likeliest; an interrupt ends it."""
        from comfy.model_management import throw_exception_if_processing_interrupted

        def go_on(tokens: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
            throw_exception_if_processing_interrupted()
            return torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)

        device, dtype = self.patcher.load_device, self.model.dtype
        moved = {
            name: value.to(device, dtype) if value.is_floating_point() else value.to(device)
            for name, value in inputs.items()
            if torch.is_tensor(value)
        }
        with torch.inference_mode():
            written: torch.Tensor = self.model.generate(
                **moved,
                do_sample=False,
                num_beams=1,
                max_new_tokens=most,
                stopping_criteria=[go_on],
            )
        return written


def _prompt(processor: Any, question: str) -> str:
    """``question`` about one picture in the model's own template.

    Raises FacetError when the template has no place for a picture.
    """
    from jinja2 import TemplateError

    parts = [{"type": "image"}, {"type": "text", "text": question}]
    for content in (parts, question):
        said = [{"role": "user", "content": content}]
        # A template for plain texts, such as JoyCaption's, fails over a list or writes it down as
        # Python does.
        try:
            prompt = processor.apply_chat_template(said, add_generation_prompt=True, tokenize=False)
        except (TypeError, TemplateError):
            continue
        if question in prompt and "'type'" not in prompt and processor.image_token in prompt:
            return str(prompt)
    raise FacetError(
        "The chat template of this model has no place for an image; take the folder of a "
        "vision-language model."
    )


def _dtype(device: torch.device) -> torch.dtype:
    from comfy import model_management

    if model_management.is_device_cpu(device):
        return torch.float32
    return torch.bfloat16 if model_management.should_use_bf16(device) else torch.float16
