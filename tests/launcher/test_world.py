"""The steps of the demo world's making, by name."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from facet.launcher import world
from facet.launcher.places import Home
from facet.launcher.problem import Problem
from facet.world.train import ORDER


def test_all_that_training_needs_is_a_step() -> None:
    assert {name for name, _ in ORDER} < set(world.names())


@pytest.mark.parametrize("name", world.names())
def test_every_step_can_be_run_by_name(name: str) -> None:
    assert callable(importlib.import_module(f"facet.world.{name}").main)


def test_a_step_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="The demo world has no step 'x'; it has: dataset, "):
        world.run(Home(tmp_path), "x", [])
