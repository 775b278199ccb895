"""The LoRA grid: its rows, and their scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch

from ..comfyui.sampling import Sampling
from ..core.character import Character
from ..core.errors import FacetError
from ..store.json_files import parse_json
from .evaluate import OFF, evaluate
from .protocol import TestPrompt
from .sampler import Bench, Candidate, Make
from .score import ScoreCard


@dataclass(frozen=True)
class GridRow:
    """A row: the LoRA's name, its strength (0 for none), and its file's name for the node."""

    name: str
    strength: float
    file: str = ""
    step: int | None = None

    @property
    def label(self) -> str:
        return f"{self.name} at strength {self.strength:g}"

    @property
    def line(self) -> str:
        """The row as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def of(cls, line: str) -> GridRow:
        """The row that ``line`` says; FacetError when it says none."""
        told = parse_json(line, "The row")
        try:
            row = cls(str(told["name"]), float(told["strength"]), str(told["file"]), told["step"])
        except (TypeError, ValueError, KeyError) as error:
            raise FacetError(f"The row is {line!r:.60}; Facet LoRA Grid makes them.") from error
        return row


def grid_rows(loras: Sequence[GridRow], strengths: Sequence[float]) -> list[GridRow]:
    """The row without a LoRA, and each of ``loras`` at each of ``strengths``.

    Raises FacetError when there is no LoRA.
    """
    if not loras:
        raise FacetError(
            "There is no LoRA to compare; connect a run or a lora, or name some in loras."
        )
    rows = [GridRow(one.name, at, one.file, one.step) for one in loras for at in strengths]
    return [GridRow(OFF, 0.0), *rows]


def subject_of(character: Character | None, with_lora: bool) -> str:
    """What is put before each prompt: without LoRA, the class word alone."""
    if character is None:
        return ""
    return character.phrase if with_lora else character.class_word


def scored_grid(
    character: Character,
    rows: Sequence[GridRow],
    images: Sequence[torch.Tensor],
    prompts: Sequence[TestPrompt],
    bench: Callable[[Sampling], Bench],
) -> tuple[ScoreCard, list[list[str]], int]:
    """The score of the grid's images, a mark for each of them, and the number of the best row.

    images: (prompts, H, W, 3) of each row. bench: what measures images of such a size.
    """
    height, width = images[0].shape[1:3]
    candidates = [Candidate(row.name, row.strength, dict, row.step) for row in rows[1:]]
    by_label = {one.label: row for one, row in zip(candidates, images[1:], strict=True)}
    given = {one.seed: number for number, one in enumerate(prompts)}

    def make(candidate: Candidate | None) -> Make:
        row = images[0] if candidate is None else by_label[candidate.label]
        return lambda _text, seed: row[given[seed]]

    measuring = bench(Sampling(width, height))
    evaluation = evaluate(
        character, candidates, measuring, prompts, first_look=len(prompts), make=make
    )
    card = evaluation.card
    marks = [
        ["" if one.score is None else f"{one.score:.2f}" for one in variant.samples]
        for variant in (card.off, *card.tried)
    ]
    best = next(n for n, one in enumerate(card.tried) if one.label == card.best.label)
    return card, marks, best + 1
