"""The score of a LoRA: in its metadata, or in a file beside it where it is somebody else's."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..core.errors import FacetError
from ..store.json_files import read_json
from .fingerprint import lora_fingerprint

LOGGER = logging.getLogger(__name__)

SCORE = "facet.score"
OWN_MARK = "facet.dataset_hash"
"""What stands in the metadata of every LoRA that Facet trained."""

OWN, ANY, BESIDE, OFF = PLACES = ("own LoRAs", "any LoRA", "beside the LoRA", "off")
"""Where a score may go: into LoRAs that Facet trained and beside others, into any, beside all."""


def is_safetensors(path: Path) -> bool:
    """Whether ``path`` is called as a safetensors file is."""
    return path.suffix.lower() in (".safetensors", ".sft")


def score_file(path: Path) -> Path:
    """The file beside the LoRA ``path`` that has its score: ann.facet.json."""
    return path.with_suffix(".facet.json")


def score_record(path: Path, weights: Mapping[str, torch.Tensor], score: str) -> dict[str, Any]:
    """What that file holds: ``score``, one line of JSON, and which ``weights`` it is of."""
    return {"lora": path.name, "weights": lora_fingerprint(weights), "score": json.loads(score)}


def score_beside(path: Path, weights: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """The score in the file beside the LoRA ``path``, as metadata has it; empty where there is
    none, or it is of other weights."""
    record = read_record(score_file(path))
    if not record or record["weights"] != lora_fingerprint(weights):
        return {}
    return {SCORE: json.dumps(record["score"], ensure_ascii=False)}


def read_record(file: Path) -> dict[str, Any]:
    """What the ``file`` beside a LoRA holds; empty where there is none, or it is something else."""
    try:
        record = read_json(file)
    except FileNotFoundError:
        return {}
    except FacetError as error:
        LOGGER.warning("Facet: %s", error)
        return {}
    known = isinstance(record, dict) and "weights" in record
    return record if known and isinstance(record.get("score"), dict) else {}
