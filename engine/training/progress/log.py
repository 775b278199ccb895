"""The course of a training as it stands in the run's folder: a table, and a picture of it."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from ...store.files import write_atomic
from ...store.json_files import MANY, read_json
from ..run_record import RUN_FILE
from .events import TrainingEvent

CSV_FILE, PNG_FILE = "losses.csv", "losses.png"


@dataclass(frozen=True)
class LogRow:
    """One step; what it did not measure is None. seconds: since its start of the run."""

    step: int
    loss: float
    smoothed: float | None = None
    learning_rate: float | None = None
    validation: float | None = None
    identity: float | None = None
    seconds: float | None = None


_COLUMNS = tuple(field.name for field in fields(LogRow))


class TrainingLog:
    """The steps of the run in ``folder``, each once and in order, whatever was taken up again."""

    def __init__(self, folder: Path, before: int | None = None) -> None:
        """What is known of the steps before ``before``; None for all of them.

        A table may be a few steps older than the run's state, or newer than what a lost machine
        left of it. Newer rows are dropped; steps that it lacks have their loss from ``run.json``.
        """
        self.folder = folder
        rows = {row.step: row for row in _losses(folder)}
        rows |= {row.step: row for row in read_rows(folder)}
        kept = (rows[step] for step in sorted(rows))
        self.rows = [row for row in kept if before is None or row.step < before]

    def add(self, event: TrainingEvent) -> None:
        """Takes up what a step told; a step that is there already gives way."""
        while self.rows and self.rows[-1].step >= event.step:
            self.rows.pop()
        self.rows.append(
            LogRow(
                event.step,
                event.loss,
                event.smoothed,
                event.learning_rate,
                event.validation,
                event.identity,
                round(event.seconds, 3),
            )
        )

    def save_table(self) -> None:
        """Writes ``losses.csv``, whole or not at all. Raises OSError when the disk refuses."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for row in self.rows:
            # Not repr(): nine digits hold a float32, which is all that a loss has.
            writer.writerow("" if v is None else f"{v:.9g}" for v in astuple(row))
        write_atomic(self.folder / CSV_FILE, text.getvalue().encode())

    def save(self) -> None:
        """Writes the table and ``losses.png``. Raises OSError when the disk refuses."""
        self.save_table()
        write_atomic(self.folder / PNG_FILE, self.picture())

    def picture(self) -> bytes:
        """The curves up to now, as a PNG."""
        from ...drawing.curves import draw_curves

        picture = io.BytesIO()
        title = f"Facet training   {self.folder.name}"
        drawn = draw_curves(list(self.rows), title, checkpoints(self.folder))
        drawn.save(picture, "PNG", optimize=True)
        return picture.getvalue()


def read_rows(folder: Path) -> list[LogRow]:
    """The rows of ``losses.csv`` in ``folder``; none where it is missing, and no damaged one."""
    try:
        text = (folder / CSV_FILE).read_text("utf-8", errors="replace")
    except OSError:
        return []
    rows = []
    for record in csv.DictReader(io.StringIO(text)):
        try:
            values = {name: _number(record.get(name)) for name in _COLUMNS}
            step, loss = values.pop("step"), values.pop("loss")
            if step is not None and loss is not None:
                rows.append(LogRow(int(step), loss, **values))
        except (TypeError, ValueError, OverflowError):
            continue
    return rows


def checkpoints(folder: Path) -> list[int]:
    """The steps after which a LoRA was saved in the run's folder."""
    prefix = f"{folder.name}_"
    found = (path.stem.removeprefix(prefix) for path in folder.glob(f"{prefix}*.safetensors"))
    return sorted(int(number) for number in found if number.isdecimal())


def _losses(folder: Path) -> list[LogRow]:
    try:
        record = read_json(folder / RUN_FILE, MANY)
        losses = [float(loss) for loss in record["losses"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [LogRow(step, loss) for step, loss in enumerate(losses, start=1)]


def _number(text: str | None) -> float | None:
    if not text:
        return None
    value = float(text)
    return value if math.isfinite(value) else None
