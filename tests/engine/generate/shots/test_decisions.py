"""What a person decides about single shots, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.generate.shots.conditioning import ReferenceMode
from facet.engine.generate.shots.decisions import NONE, Decision, names, parse_decisions
from facet.engine.generate.shots.gates import Gates, Thresholds
from facet.engine.generate.shots.make import ShotProgress, plain_shoot
from facet.engine.generate.shots.plan import ShotPlan, ShotRequest
from facet.engine.generate.shots.remedies import RetryRules
from facet.engine.generate.shots.store import ShotStore
from facet.engine.studio.studio import Studio

FRONT = ShotRequest(Tags("close_up", "front"))
BACK = ShotRequest(Tags("medium", "back"))
PLAN = ShotPlan((FRONT, BACK, FRONT))


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


@torch.inference_mode()
def shots_with(
    models: Any, folder: Path, decisions: dict[str, Decision], min_identity: float = -1.0
) -> tuple[list[Shot], list[int]]:
    """The shots of ``PLAN`` and the numbers of those that were sampled for it."""
    source = Shot(demo_picture(3), Provenance("original"))
    character = Character("Ada", "zqx", "person", source)
    studio = Studio(
        models.model,
        models.clip,
        models.vae,
        Sampling(64, 64, steps=1),
        ReferenceMode.REFERENCE_LATENTS,
    )
    thresholds = Thresholds(min_identity=min_identity, off=frozenset({"sharpness", "duplicate"}))
    gates = Gates(source.image, thresholds, None, models.clip_vision)
    sampled: list[int] = []

    def watch(progress: ShotProgress) -> None:
        if progress.state == "sampling":
            sampled.append(progress.number)

    shoot = plain_shoot(character, studio, gates, 2**63 - 2, RetryRules(tries=1))
    return shoot.run(PLAN, ShotStore(folder), watch, decisions=decisions), sampled


def test_requests_that_are_alike_are_numbered() -> None:
    assert names(PLAN.requests) == [FRONT.label, BACK.label, f"{FRONT.label} #2"]


def test_a_reroll_makes_one_other_shot_and_undo_brings_the_old_one_back(
    models: Any, tmp_path: Path
) -> None:
    first, sampled = shots_with(models, tmp_path, {})
    assert sampled == [1, 2, 3]
    other, sampled = shots_with(models, tmp_path, {BACK.label: Decision("reroll", 1)})
    assert sampled == [2]
    assert [one.hash == two.hash for one, two in zip(first, other, strict=True)] == [
        True,
        False,
        True,
    ]
    again, sampled = shots_with(models, tmp_path, {})
    assert sampled == []
    assert [shot.hash for shot in again] == [shot.hash for shot in first]
    forward, sampled = shots_with(models, tmp_path, {BACK.label: Decision("pin", 1)})
    assert sampled == []
    assert forward[1].hash == other[1].hash


def test_a_pin_keeps_what_a_gate_failed_and_a_drop_leaves_out_what_passed(
    models: Any, tmp_path: Path
) -> None:
    strict, _ = shots_with(models, tmp_path / "strict", {}, min_identity=1.1)
    assert [shot.include for shot in strict] == [False] * 3
    pinned = {FRONT.label: Decision("pin", hash=strict[0].hash[:16])}
    kept, sampled = shots_with(models, tmp_path / "strict", pinned, min_identity=1.1)
    assert sampled == []
    assert [shot.include for shot in kept] == [True, False, False]
    assert not kept[0].accepted

    shots_with(models, tmp_path / "mild", {})
    left_out, sampled = shots_with(models, tmp_path / "mild", {BACK.label: Decision("drop")})
    assert sampled == []
    assert [shot.include for shot in left_out] == [True, False, True]


def test_what_was_said_of_one_picture_is_not_said_of_another() -> None:
    shot = Shot(torch.zeros(64, 64, 3), Provenance("generated"))
    assert not Decision("drop", hash=shot.hash[:16]).applied(shot).include
    assert Decision("drop", hash="0" * 16).applied(shot).include
    assert not Decision("pin", hash="0" * 16).applied(replace(shot, include=False)).include


def test_every_roll_has_seeds_of_its_own() -> None:
    tries = [
        Decision(roll=roll).seed(7 + 1000 * n) + t
        for roll in range(50)
        for n in range(50)
        for t in range(10)
    ]
    assert len(set(tries)) == len(tries)
    assert NONE.seed(2**64 - 1) < 2**63


def test_the_widgets_text_is_read() -> None:
    assert parse_decisions("") == parse_decisions(" {} ") == {}
    text = '{"a": {"state": "drop", "hash": "9f"}, "b": {"state": "reroll"}, "c": {"roll": 2}}'
    assert parse_decisions(text) == {
        "a": Decision("drop", 0, "9f"),
        "b": Decision("reroll", 1),
        "c": Decision("", 2),
    }


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "drop",
        '"drop"',
        '{"a": "drop"}',
        '{"a": {"state": "delete"}}',
        '{"a": {"roll": -1}}',
        '{"a": {"roll": true}}',
        '{"a": {"roll": 1e99}}',
        '{"a": {"hash": 7}}',
    ],
)
def test_a_text_that_says_something_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^decisions") as refused:
        parse_decisions(text)
    assert "write" in str(refused.value) or "needs" in str(refused.value)
    assert "\n" not in str(refused.value)
