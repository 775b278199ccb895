"""A report on disk: numbers for programs, a table for spreadsheets, a picture and a page."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import torch

from ..character import Character
from ..files import contained, write_atomic
from ..pictures import image_bytes
from .evaluate import Evaluation
from .report_image import report_image
from .report_page import report_page


def write_report(folder: Path, character: Character, evaluation: Evaluation) -> torch.Tensor:
    """Writes score.json, score.csv, report.png and report.html to ``folder``.

    Returns the report picture, (H, 1600, 3) float32 in 0..1. Each file is written whole or not at
    all, and replaces the one of the report before.
    """
    card = evaluation.card
    picture = report_image(character, evaluation)
    rows = card.rows()
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    numbers = json.dumps(card.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    files = {
        "score.json": numbers.encode(),
        "score.csv": table.getvalue().encode(),
        "report.png": image_bytes(picture),
        "report.html": report_page(character, evaluation).encode(),
    }
    for name, content in files.items():
        write_atomic(contained(folder, name), content)
    return picture
