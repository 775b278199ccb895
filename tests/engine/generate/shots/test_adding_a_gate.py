"""A gate is added as docs/adding-a-gate.md says: a function, a threshold, an entry."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Score, Shot, Tags
from facet.engine.generate.attempts import Attempt
from facet.engine.generate.shots.gates import SHOT_GATES, Gate, Gates, Seen, Thresholds
from facet.engine.generate.shots.make import Shoot, ShotKind, plain_scores
from facet.engine.generate.shots.plan import ShotPlan, ShotRequest
from facet.engine.generate.shots.remedies import SWITCHES, RetryRules
from facet.engine.generate.shots.store import ShotStore

SHOWN_SHARPNESS = 0.9
PLAN = ShotPlan((ShotRequest(Tags("close_up", "front")),))


def crispness(seen: Seen) -> Score:
    """A shot has to be as sharp as its original."""
    value = seen.reading.sharpness
    passed = None if value is None else value >= SHOWN_SHARPNESS
    note = "" if passed is not False else f"only {value:.2f} as sharp as the original"
    return Score("crispness", value, SHOWN_SHARPNESS, passed, note)


CRISPNESS = Gate("crispness", "Whether a soft shot fails.", crispness)


class Pictures:
    """A line whose attempts are pictures that are given."""

    prompt = staticmethod(lambda stronger: "close-up")

    class camera:
        class reference:
            mode = None

    def __init__(self, *images: torch.Tensor) -> None:
        self.images = images

    def first(self, seed: int) -> Attempt:
        return Attempt(0, "close-up", cfg=1.0)

    def key(self, attempt: Attempt) -> str:
        return f"{attempt.seed:024d}"

    def take(self, attempt: Attempt, on_step: object) -> torch.Tensor:
        return self.images[attempt.seed]

    def record(self, attempt: Attempt, number: int) -> dict[str, object]:
        return {"tags": {"view": "front"}, "provenance": {"source": "generated"}}


@pytest.fixture
def original() -> torch.Tensor:
    return torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0))


def test_a_gate_that_is_added_decides_which_attempt_is_kept(original, tmp_path: Path) -> None:
    soft = torch.nn.functional.avg_pool2d(original.movedim(-1, 0), 3, 1, 1).movedim(0, -1)
    sharp = original.flip(0)
    ada = Character("Ada", "zqx", "person", Shot(original, Provenance("original")))
    off = frozenset(gate.name for gate in SHOT_GATES)
    gates = Gates(original, Thresholds(off=off), gates=(*SHOT_GATES, CRISPNESS))
    kind = ShotKind(lambda _request: Pictures(soft, sharp), plain_scores(gates))
    told = []
    store = ShotStore(tmp_path)
    [shot] = Shoot(ada, gates, 0, kind, RetryRules()).run(PLAN, store, told.append)
    assert [event.state for event in told] == ["sampling", "retried", "sampling", "accepted"]
    assert told[1].shot.score("crispness").note.startswith("only ")
    assert torch.allclose(shot.image, sharp, atol=1 / 255) and shot.provenance.attempt == 2
    # Under a stricter eye nothing is made again.
    [again] = Shoot(ada, gates, 0, kind, RetryRules()).run(PLAN, store, told.append)
    assert again.hash == shot.hash and told[-1].found


def test_every_gate_has_its_switch_and_says_its_thresholds() -> None:
    assert list(SWITCHES) == [gate.name for gate in SHOT_GATES]
    named = [one.name for gate in SHOT_GATES for one in gate.thresholds]
    assert {*named, "off"} == set(Thresholds.__dataclass_fields__)
    for gate in SHOT_GATES:
        assert gate.text.endswith(".")
        for one in gate.thresholds:
            assert one.metadata["low"] <= one.default <= one.metadata["high"]
            assert one.metadata["text"].endswith(".")
