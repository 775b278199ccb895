"""A training run as it flows between nodes, and as it stands in its folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..core.errors import FacetError
from ..store.files import write_json_atomic
from ..store.json_files import MANY, read_json

RUN_FILE = "run.json"


@dataclass(frozen=True)
class Checkpoint:
    """A LoRA saved on the way: after how many steps, where, and the mean loss just before.

    validation: its loss on held-out pictures, and identity: the likeness of its samples to the
    source picture; None where they were not measured. best: whether the run chose it.
    """

    step: int
    path: Path
    loss: float
    validation: float | None = None
    identity: float | None = None
    best: bool = False


@dataclass(frozen=True)
class Measure:
    """What was measured after ``step``: validation loss, likeness, and the picture of samples."""

    step: int
    validation: float | None = None
    identity: float | None = None
    sample: str = ""


@dataclass(frozen=True)
class TrainingRun:
    """What was trained, on what, and what came of it; ``losses`` has one value a step.

    measures: on the way, in order. choice: why the best checkpoint is the best. finished: whether
    it came to its end; ended: why that was before its last step, '' when it was not.
    sampled: what tells how its samples were made from any other way. memory: how the device's was
    used, in a sentence; '' on a CPU.
    """

    character_name: str
    character_hash: str
    trigger: str
    class_word: str
    folder: Path
    settings: dict[str, Any]
    checkpoints: tuple[Checkpoint, ...] = ()
    losses: tuple[float, ...] = ()
    measures: tuple[Measure, ...] = ()
    choice: str = ""
    finished: bool = True
    ended: str = ""
    companions: tuple[str, ...] = ()
    sampled: str = ""
    memory: str = ""

    @property
    def best(self) -> Checkpoint:
        """The checkpoint to use: the one that was chosen, else the last.

        Raises FacetError when there is none.
        """
        if not self.checkpoints:
            raise FacetError(f"{self.name} has no checkpoint; train it first.")
        return next((point for point in self.checkpoints if point.best), self.checkpoints[-1])

    @property
    def name(self) -> str:
        return self.folder.name

    def save(self) -> None:
        write_json_atomic(
            self.folder / RUN_FILE,
            {
                "character": self.character_name,
                "character_hash": self.character_hash,
                "trigger": self.trigger,
                "class_word": self.class_word,
                "companions": list(self.companions),
                "settings": self.settings,
                "checkpoints": [_plain(point) for point in self.checkpoints],
                "losses": list(self.losses),
                "measures": [asdict(measure) for measure in self.measures],
                "choice": self.choice,
                "finished": self.finished,
                "ended": self.ended,
                "sampled": self.sampled,
                "memory": self.memory,
            },
        )


def load_run(folder: Path) -> TrainingRun:
    """The run whose ``run.json`` stands in ``folder``; checkpoints whose file is gone are left out.

    Raises FacetError when there is none or it cannot be read.
    """
    path = folder / RUN_FILE
    try:
        record = read_json(path, MANY)
        points = [
            Checkpoint(
                int(p["step"]),
                folder / Path(p["file"]).name,
                float(p["loss"]),
                _number(p.get("validation")),
                _number(p.get("identity")),
                bool(p.get("best", False)),
            )
            for p in record["checkpoints"]
        ]
        # Runs of earlier versions have no measures.
        measures = [
            Measure(
                int(m["step"]),
                _number(m.get("validation")),
                _number(m.get("identity")),
                str(m.get("sample", "")),
            )
            for m in record.get("measures", [])
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
            measures=tuple(measures),
            choice=str(record.get("choice", "")),
            finished=bool(record.get("finished", True)),
            ended=str(record.get("ended", "")),
            companions=tuple(map(str, record.get("companions", []))),
            sampled=str(record.get("sampled", "")),
            memory=str(record.get("memory", "")),
        )
    except FileNotFoundError:
        raise FacetError(f"There is no training run in {folder}; train one there first.") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FacetError(f"{path} is damaged ({error}); delete it and train again.") from error


def _plain(point: Checkpoint) -> dict[str, Any]:
    """``point`` as JSON values, by the name of its file."""
    names = {"path": "file"}
    values = asdict(point) | {"path": point.path.name}
    return {names.get(name, name): value for name, value in values.items()}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
