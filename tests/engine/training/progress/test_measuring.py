"""What is due after which step."""

from __future__ import annotations

from dataclasses import replace

from facet.engine.training.progress.measuring import Measuring
from facet.engine.training.settings import TrainingSettings


def measuring(settings: TrainingSettings) -> Measuring:
    """Of a run that holds nothing out and makes no samples."""
    return Measuring(settings, [], None, None)


def test_checkpoints_are_due_at_intervals_and_at_the_end() -> None:
    settings = TrainingSettings(steps=600, checkpoint_every=250)
    assert [s for s in range(1, 601) if measuring(settings).checkpoint_due(s)] == [250, 500, 600]
    once = replace(settings, checkpoint_every=0)
    assert [s for s in range(1, 601) if measuring(once).checkpoint_due(s)] == [600]
