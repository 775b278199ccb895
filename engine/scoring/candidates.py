"""Which checkpoints and strengths of a training run are worth a look."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..comfyui.lora import read_weights
from ..comfyui.lora_names import LoraWeights
from ..core.errors import FacetError
from ..training.run_record import Checkpoint, TrainingRun
from .sampler import Candidate

MAX_STRENGTH = 10.0


def parse_strengths(text: str) -> tuple[float, ...]:
    """The strengths in ``text``, such as '0.8, 1.0', each once and in order.

    Raises FacetError when one is not a number, is 0, or is beyond 10.
    """
    strengths: list[float] = []
    for word in text.replace(";", ",").split(","):
        if not word.strip():
            continue
        try:
            strength = float(word)
        except ValueError:
            strength = math.nan
        if not 0 < abs(strength) <= MAX_STRENGTH:
            raise FacetError(
                f"The strength {word.strip()!r} cannot be used; give numbers such as '0.8, 1.0' "
                "(strength 0, the baseline, is always measured)."
            )
        if strength not in strengths:
            strengths.append(strength)
    if not strengths:
        raise FacetError("No strength is given; write one, such as '1.0'.")
    return tuple(strengths)


def spread(checkpoints: Sequence[Checkpoint], count: int) -> list[Checkpoint]:
    """``count`` of the checkpoints at even distances, the last one always among them."""
    total = len(checkpoints)
    if total <= count:
        return list(checkpoints)
    return [checkpoints[math.ceil((number + 1) * total / count) - 1] for number in range(count)]


def candidates_of(
    run: TrainingRun | None,
    lora: LoraWeights | None,
    strengths: Sequence[float],
    checkpoints: int,
    file: Path | None = None,
) -> list[Candidate]:
    """The run's checkpoints, evenly chosen, or the connected LoRA, or that of ``file``, each at
    every strength.

    The connected LoRA is left out when a run is connected: it is one of the run's.
    Raises FacetError when none is there, or the run has no checkpoint.
    """
    if run is not None and not run.checkpoints:
        raise FacetError(f"The training run in {run.folder} has no checkpoint; train it further.")
    if run is not None:
        return [
            Candidate(
                f"step {point.step}",
                strength,
                partial(read_weights, point.path),
                step=point.step,
                path=str(point.path),
                loss=point.loss if math.isfinite(point.loss) else None,
            )
            for point in spread(run.checkpoints, checkpoints)
            for strength in strengths
        ]
    if lora is None and file is not None:
        load = partial(read_weights, file)
        return [Candidate(file.stem, strength, load, path=str(file)) for strength in strengths]
    if lora is None:
        raise FacetError(
            "There is no LoRA to score; connect a training run or a LoRA, or choose a lora_name."
        )
    return [Candidate("the LoRA", strength, lambda: lora) for strength in strengths]
