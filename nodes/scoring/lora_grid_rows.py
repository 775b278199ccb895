"""The rows of the LoRA grid: which there are, where their files lie, and what they score."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
import torch

from ...engine.comfyui.sampling import Sampling
from ...engine.core.character import Character, Provenance, Shot
from ...engine.store.files import contained
from ...engine.training.run_record import TrainingRun
from ..common.inputs import sampling_from
from ..common.lora_files import state_of
from ..common.page import below_output

if TYPE_CHECKING:
    from ...engine.scoring.protocol import TestPrompt
    from ...engine.scoring.score import ScoreCard

OFF = "LoRA off"
FACET = "facet/"


@dataclass(frozen=True)
class GridRow:
    """A row: the LoRA's name, its strength (0 for none), and its file as ``row_file`` reads it."""

    name: str
    strength: float
    file: str = ""
    step: int | None = None

    @property
    def label(self) -> str:
        """As in 'step 200 at strength 0.8'."""
        return f"{self.name} at strength {self.strength:g}"

    @property
    def line(self) -> str:
        """The row as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def of(cls, line: str) -> GridRow:
        """The row that ``line`` says."""
        return cls(**json.loads(line))


def grid_rows(
    run: TrainingRun | None, checkpoints: int, loras: str, connected: bool, strengths: str
) -> list[GridRow]:
    """The rows, the LoRA off first: the run's checkpoints, the LoRAs named, the one connected.

    Raises ValueError when there is no LoRA, one is not there, or a strength is none.
    """
    from ...engine.scoring.candidates import parse_strengths, spread

    amounts = parse_strengths(strengths)
    found: list[tuple[str, str, int | None]] = []
    for point in spread(run.checkpoints, checkpoints) if run is not None else ():
        below = below_output(point.path)
        if below is None:
            raise ValueError(
                f"The checkpoint {point.path.name} lies outside of ComfyUI's output folder; copy "
                "it to a folder of LoRAs and name it in loras."
            )
        found.append((f"step {point.step}", below, point.step))
    for name in named(loras):
        row_file(name)
        found.append((Path(name).with_suffix("").as_posix(), name, None))
    if connected:
        found.append(("the LoRA", "", None))
    if not found:
        raise ValueError(
            "There is no LoRA to compare; connect a run or a lora, or name some in loras."
        )
    rows = [GridRow(name, one, file, step) for name, file, step in found for one in amounts]
    return [GridRow(OFF, 0.0), *rows]


def row_file(name: str) -> Path:
    """The LoRA file called ``name``: among ComfyUI's LoRAs, or below output/facet.

    Raises ValueError when it is neither.
    """
    listed = folder_paths.get_full_path("loras", name)
    if listed is not None:
        return Path(listed)
    output = Path(folder_paths.get_output_directory())
    if name.startswith(FACET):
        path = contained(output / "facet", name.removeprefix(FACET))
        if path.is_file() and path.suffix == ".safetensors":
            return path
    raise ValueError(f"There is no LoRA {name!r} in ComfyUI's LoRA folders; choose one of them.")


def row_state(name: str) -> str:
    """What tells the file called ``name`` from another of that name; '' when there is none."""
    try:
        return state_of(row_file(name))
    except ValueError:
        return ""


def named(loras: str) -> list[str]:
    """The names in ``loras``, one a line, each once."""
    return list(dict.fromkeys(filter(None, (line.strip() for line in loras.splitlines()))))


def who_is_it(character: Character | None, with_lora: bool) -> str:
    """What is put before each prompt: without the LoRA, anybody of the kind."""
    if character is None:
        return ""
    return character.phrase if with_lora else character.class_word


def grid_sampling(character: Character | None, widgets: dict[str, Any]) -> Sampling:
    """The sampling that the widgets describe; without a character, at 1024 px where none is set."""
    if character is None:
        blank = Shot(torch.zeros(1024, 1024, 3), Provenance("imported"))
        character = Character("nobody", "x", "person", blank)
    return sampling_from(character, **widgets)


def scored_grid(
    character: Character,
    rows: Sequence[GridRow],
    pictures: Sequence[torch.Tensor],
    prompts: Sequence[TestPrompt],
    vae: Any,
    clip_vision: Any,
    face_model: Any,
) -> tuple[ScoreCard, list[list[str]], int]:
    """The score of the grid's pictures, a mark for each of them, and the number of the best row."""
    from ...engine.scoring.evaluate import scored
    from ...engine.scoring.sampler import Bench, Candidate

    height, width = pictures[0].shape[1:3]
    candidates = [Candidate(row.name, row.strength, dict, row.step) for row in rows[1:]]
    by_label = {one.label: row for one, row in zip(candidates, pictures[1:], strict=True)}
    given = {one.seed: number for number, one in enumerate(prompts)}

    def make(candidate: Candidate | None) -> Any:
        row = pictures[0] if candidate is None else by_label[candidate.label]
        return lambda _text, seed: row[given[seed]]

    bench = Bench(None, None, vae, clip_vision, Sampling(width, height), face_model)
    evaluation = scored(character, candidates, bench, prompts, make, first_look=len(prompts))
    card = evaluation.card
    marks = [
        ["" if one.score is None else f"{one.score:.2f}" for one in condition.samples]
        for condition in (card.off, *card.tried)
    ]
    best = next(n for n, one in enumerate(card.tried) if one.label == card.best.label)
    return card, marks, best + 1
