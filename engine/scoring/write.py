"""A score on disk: a report as JSON, CSV, an image and a page."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import torch

from ..core.character import Character
from ..store.files import contained, write_atomic
from ..store.images import image_bytes
from .evaluate import Evaluation
from .report import glance
from .report.image import report_image
from .report.page import report_page


@dataclass(frozen=True, eq=False)
class ReportFiles:
    """A report on disk: its image (H, 1600, 3) float32 in 0..1, and the folder of its own."""

    image: torch.Tensor
    folder: Path


def write_report(folder: Path, character: Character, evaluation: Evaluation) -> ReportFiles:
    """Writes score.json, score.csv, the report and its summary to a folder of their own.

    It lies in ``folder`` and is called by the time and a hash of the score; the same score is
    written again to the folder that it has. ``folder`` itself holds the latest. Each file is
    written whole or not at all.
    """
    card = evaluation.card
    image = report_image(character, evaluation)
    rows = card.rows()
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    numbers = json.dumps(card.to_dict(), indent=2, ensure_ascii=False, allow_nan=False).encode()
    files = {
        "score.json": numbers,
        "score.csv": table.getvalue().encode(),
        "report.png": image_bytes(image),
        "report.html": report_page(character, evaluation).encode(),
        glance.NAME: json.dumps(glance.glance(character, evaluation), ensure_ascii=False).encode(),
    }
    own = contained(folder, report_name(folder, hashlib.sha256(numbers).hexdigest()[:8]))
    for target in (own, folder):
        for name, content in files.items():
            write_atomic(contained(target, name), content)
    return ReportFiles(image, own)


def report_name(folder: Path, key: str) -> str:
    """As in '2025-11-21 14-03-59 1f2e3d4c'; the one that ends with ``key`` when there is one."""
    known = sorted(folder.glob(f"????-??-?? ??-??-?? {key}"))
    if known:
        return known[0].name
    return f"{datetime.now():%Y-%m-%d %H-%M-%S} {key}"
