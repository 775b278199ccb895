"""A training run as it flows between nodes, and as it stands in its folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .files import write_json_atomic

RUN_FILE = "run.json"


@dataclass(frozen=True)
class Checkpoint:
    """A LoRA saved on the way: after how many steps, where, and the mean loss just before."""

    step: int
    path: Path
    loss: float


@dataclass(frozen=True)
class TrainingRun:
    """What was trained, on what, and what came of it; ``losses`` has one value a step."""

    character_name: str
    character_hash: str
    trigger: str
    class_word: str
    folder: Path
    settings: dict[str, Any]
    checkpoints: tuple[Checkpoint, ...] = ()
    losses: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """The run's name: that of its folder."""
        return self.folder.name

    def save(self) -> None:
        """Writes ``run.json`` into the run's folder."""
        write_json_atomic(
            self.folder / RUN_FILE,
            {
                "character": self.character_name,
                "character_hash": self.character_hash,
                "trigger": self.trigger,
                "class_word": self.class_word,
                "settings": self.settings,
                "checkpoints": [
                    {"step": point.step, "file": point.path.name, "loss": point.loss}
                    for point in self.checkpoints
                ],
                "losses": list(self.losses),
            },
        )


def load_run(folder: Path) -> TrainingRun:
    """The run whose ``run.json`` stands in ``folder``; checkpoints whose file is gone are left out.

    Raises ValueError when there is none or it cannot be read.
    """
    path = folder / RUN_FILE
    try:
        record = json.loads(path.read_text("utf-8"))
        points = [
            Checkpoint(int(p["step"]), folder / Path(p["file"]).name, float(p["loss"]))
            for p in record["checkpoints"]
        ]
        return TrainingRun(
            character_name=record["character"],
            character_hash=record["character_hash"],
            trigger=record["trigger"],
            class_word=record["class_word"],
            folder=folder,
            settings=record["settings"],
            checkpoints=tuple(point for point in points if point.path.is_file()),
            losses=tuple(map(float, record["losses"])),
        )
    except FileNotFoundError:
        raise ValueError(f"There is no training run in {folder}; train one there first.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}); delete it and train again.") from error
