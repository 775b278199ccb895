"""Folders in the layout of the transformers library: which, and what they say."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

PROCESSORS = ("processor_config.json", "preprocessor_config.json")
TEMPLATES = ("chat_template.jinja", "chat_template.json")
DEPTH = 3
"""So many folders deep others keep theirs, such as LLM/Qwen-VL/Qwen3-VL-4B-Instruct."""


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
    return any("chat_template" in read_json(path) for path in told if path.is_file())


def read_json(path: Path) -> dict[str, Any]:
    """What the file holds; ValueError with a sentence when it is damaged."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as problem:
        raise ValueError(f"{path} is damaged ({problem}); download the folder again.") from problem
    return found if isinstance(found, dict) else {}
