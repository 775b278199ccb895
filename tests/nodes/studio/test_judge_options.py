"""Facet Judge Options: every threshold and rule of the retries, and what it takes from a score."""

from __future__ import annotations

from typing import Any

import pytest

from facet.engine.generate.shots.gates import GATES, Thresholds
from facet.engine.generate.shots.remedies import (
    SWITCHES,
    RetryRules,
    rules_from,
    settings,
    thresholds_from,
)
from facet.engine.scoring.calibrate import Calibration
from facet.engine.scoring.score import ScoreCard
from facet.engine.scoring.variant import Variant
from facet.nodes.studio.judge_options import FacetJudgeOptions
from harness.prompts import node


def made(**given: Any) -> dict[str, Any]:
    """What the node gives with its widgets as they come, but for ``given``."""
    usual = node("FacetJudgeOptions")["inputs"]
    (options,) = FacetJudgeOptions.execute(**(usual | given)).args
    return dict(options)


def card(*positives: float) -> ScoreCard:
    off = Variant("LoRA off", ())
    scale = Calibration((0.0, 0.1), positives)
    return ScoreCard("Ada", "zqx", "person", "", scale, off, (off,), off, None, (), {})


def test_an_untouched_options_node_changes_nothing() -> None:
    options = made()
    assert thresholds_from(options) == Thresholds()
    assert rules_from(options) == RetryRules()
    assert set(SWITCHES.values()) <= options.keys()
    assert SWITCHES.keys() == set(GATES)


def test_what_is_changed_on_the_judge_wins_over_the_options() -> None:
    own = {"tries": 3, "max_yaw_error": 20.0, "min_identity": 0.5}
    chosen = settings({"tries": 5, "max_yaw_error": 8.0, "check_persons": False}, own)
    assert rules_from(chosen).tries == 5
    assert thresholds_from(chosen).max_yaw_error == 20.0
    assert thresholds_from(chosen).off == {"persons"}


@pytest.mark.parametrize("full", [0.2, 0.3])
def test_options_that_contradict_themselves_are_refused(full: float) -> None:
    with pytest.raises(ValueError, match=r"^Facet Judge Options: close_up_face is 0.2 and full_fa"):
        made(close_up_face=0.2, full_face=full)
    # 0 takes what suits adults, and contradicts nothing.
    assert made(close_up_face=0.0, full_face=full)["full_face"] == full


def test_a_score_sets_the_least_likeness_halfway_between_strangers_and_the_character() -> None:
    score = card(0.8, 0.9)
    halfway = score.calibration.cosine(0.5)
    assert halfway is not None and 0.1 < halfway < 0.8
    assert made(score=score, min_identity=0.1)["min_identity"] == halfway
    with pytest.raises(ValueError, match=r"^Facet Judge Options: The score sets no min_identity\."):
        made(score=card())
