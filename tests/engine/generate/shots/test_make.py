"""The shoot, with the demo models and somebody whom they have never seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.generate.shots.conditioning import ReferenceMode
from facet.engine.generate.shots.gates import Gates, Thresholds
from facet.engine.generate.shots.make import Shoot, plain_shoot
from facet.engine.generate.shots.plan import ShotPlan, ShotRequest
from facet.engine.generate.shots.presets import turnaround
from facet.engine.generate.shots.remedies import RetryRules
from facet.engine.generate.shots.store import ShotStore
from facet.engine.studio.studio import Studio

ANYTHING = {"off": frozenset({"view", "framing", "persons", "sharpness", "duplicate"})}
FRONT = ShotPlan(
    (ShotRequest(Tags("close_up", "front", "smile", outfit="red t-shirt", lighting="natural")),)
)


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


@pytest.fixture
def ada() -> Character:
    source = Shot(demo_picture(3), Provenance("original"), tags=Tags("close_up", "front"))
    return Character("Ada", "zqx", "person", source)


def shoot(
    character: Character,
    models,
    steps: int = 2,
    tries: int = 1,
    strengthen_likeness: bool = False,
    blind: bool = False,
    **thresholds: Any,
) -> Shoot:
    studio = Studio(
        models.model,
        models.clip,
        models.vae,
        Sampling(128, 128, steps=steps),
        ReferenceMode.REFERENCE_LATENTS,
        strengthen_likeness=strengthen_likeness,
    )
    source = character.source.image
    measuring = () if blind else (models.face, models.clip_vision)
    gates = Gates(source, Thresholds(**thresholds), *measuring)
    return plain_shoot(character, studio, gates, 5, RetryRules(tries=tries))


@torch.inference_mode()
def test_the_same_seed_makes_the_same_shot(models, ada, tmp_path):
    first = shoot(ada, models).run(FRONT, ShotStore(tmp_path / "a"))
    again = shoot(ada, models).run(FRONT, ShotStore(tmp_path / "b"))
    assert first[0].hash == again[0].hash


@torch.inference_mode()
def test_a_finished_shot_is_read_back_and_not_made_again(models, ada, tmp_path):
    store = ShotStore(tmp_path)
    [made] = shoot(ada, models).run(FRONT, store)
    steps: list[int] = []
    [read] = shoot(ada, models).run(FRONT, store, on_step=lambda step, _: steps.append(step))
    assert steps == []
    assert (read.hash, read.tags, read.scores, read.provenance) == (
        made.hash,
        made.tags,
        made.scores,
        made.provenance,
    )


@torch.inference_mode()
def test_a_half_written_shot_is_made_again(models, ada, tmp_path):
    store = ShotStore(tmp_path)
    [made] = shoot(ada, models).run(FRONT, store)
    for picture in tmp_path.rglob("*.png"):
        picture.write_bytes(picture.read_bytes()[:100])
    [again] = shoot(ada, models).run(FRONT, store)
    assert again.hash == made.hash
    assert store.load(picture.stem) is not None


@torch.inference_mode()
def test_a_cancel_keeps_the_shots_that_were_finished(models, ada, tmp_path):
    class Cancelled(Exception):
        pass

    def cancel_in_second_shot(progress):
        if progress.number == 2 and progress.ended:
            raise Cancelled

    with pytest.raises(Cancelled):
        shoot(ada, models).run(turnaround(), ShotStore(tmp_path), on_shot=cancel_in_second_shot)
    assert len(list(tmp_path.glob("*.json"))) == len(list(tmp_path.glob("*.png"))) == 2
    assert not list(tmp_path.glob("*.part"))


@torch.inference_mode()
def test_a_shot_that_never_passes_is_kept_marked_and_left_out(models, ada, tmp_path):
    [shot] = shoot(ada, models, tries=3, min_identity=1.1).run(FRONT, ShotStore(tmp_path))
    assert shot.provenance.tries == 3
    assert not shot.include
    assert not shot.accepted
    assert shot.score("identity").note.startswith("only")
    assert shot.hash not in {s.hash for s in ada.adding([shot]).dataset}


@torch.inference_mode()
def test_each_try_is_told_as_it_begins_and_ends(models, ada, tmp_path):
    told = []
    made = shoot(ada, models, tries=2, min_identity=1.1)
    made.run(FRONT, ShotStore(tmp_path), on_shot=told.append)
    made.run(FRONT, ShotStore(tmp_path), on_shot=told.append)
    assert [(event.state, event.attempt, event.found) for event in told] == [
        ("sampling", 1, False),
        ("retried", 1, False),
        ("sampling", 2, False),
        ("failed", 2, False),
        ("failed", 2, True),
    ]
    assert [event.shot is None for event in told] == [True, False, True, False, False]
    assert {event.request for event in told} == set(FRONT.requests)
    tried = {path.stem for path in (tmp_path / "tries").glob("*.json")}
    assert {event.key for event in told} == tried and len(tried) == 2
    assert told[-1].key == next(tmp_path.glob("*.json")).stem


@torch.inference_mode()
def test_every_shot_starts_from_the_original(models, ada, tmp_path):
    shots = shoot(ada, models).run(turnaround(), ShotStore(tmp_path))
    assert {shot.provenance.parent for shot in shots} == {ada.source.hash}
    later = shoot(ada.adding(shots), models)
    fresh = shoot(ada, models)
    one = later.run(FRONT, ShotStore(tmp_path / "later"))
    other = fresh.run(FRONT, ShotStore(tmp_path / "fresh"))
    assert one[0].hash == other[0].hash


@torch.inference_mode()
def test_changing_one_line_remakes_only_that_line(models, ada, tmp_path):
    plan = turnaround()
    store = ShotStore(tmp_path)
    shoot(ada, models).run(plan, store)
    before = {path.name for path in tmp_path.glob("*.*")}
    changed = replace(plan.requests[2].tags, background="in a park")
    requests = (*plan.requests[:2], ShotRequest(changed), *plan.requests[3:])
    shoot(ada, models).run(ShotPlan(requests), store)
    after = {path.name for path in tmp_path.glob("*.*")}
    assert len(after - before) == 2  # one picture, one sidecar
    assert before <= after


def sampled(made: Shoot, plan: ShotPlan, store: ShotStore) -> tuple[list[Shot], int]:
    """The shots of ``plan`` and how many tries were sampled for them."""
    told = []
    shots = made.run(plan, store, on_shot=told.append)
    return shots, sum(event.state == "sampling" for event in told)


@torch.inference_mode()
def test_moving_inserting_and_deleting_lines_remakes_nothing(models, ada, tmp_path):
    store, plan = ShotStore(tmp_path), turnaround()
    shots, _ = sampled(shoot(ada, models), plan, store)
    moved = ShotPlan((*reversed(plan.requests[1:]), *FRONT.requests, *FRONT.requests))
    again, made = sampled(shoot(ada, models), moved, store)
    assert made == 2
    assert [shot.hash for shot in again[:5]] == [shot.hash for shot in reversed(shots[1:])]
    assert again[5].hash != again[6].hash


@torch.inference_mode()
def test_other_thresholds_judge_the_tries_on_disk_again(models, ada, tmp_path):
    store = ShotStore(tmp_path)
    strict = {"tries": 3, "steps": 2, "min_identity": 1.1}
    [worst], made = sampled(shoot(ada, models, **strict), FRONT, store)
    assert (made, worst.include) == (3, False)
    [mild], made = sampled(shoot(ada, models, min_identity=-1.0, **ANYTHING), FRONT, store)
    assert (made, mild.include, mild.provenance.attempt) == (0, True, 1)
    [back], made = sampled(shoot(ada, models, **strict), FRONT, store)
    assert (made, back.hash, back.scores) == (0, worst.hash, worst.scores)


@torch.inference_mode()
def test_a_model_connected_later_measures_what_is_on_disk(models, ada, tmp_path):
    store = ShotStore(tmp_path)
    [shot], made = sampled(shoot(ada, models, blind=True, **ANYTHING), FRONT, store)
    assert (made, shot.score("identity").passed) == (1, None)
    [shot], made = sampled(shoot(ada, models, min_identity=-1.0, **ANYTHING), FRONT, store)
    assert made == 0
    assert shot.score("identity").passed is True


@torch.inference_mode()
def test_somebody_else_is_retried_with_more_of_the_original(models, ada, tmp_path):
    made = shoot(ada, models, tries=3, min_identity=1.1, **ANYTHING)
    attempts = []
    camera = made.kind.line(FRONT.requests[0]).camera
    take = camera.image
    camera.image = lambda attempt, on_step=None: (attempts.append(attempt), take(attempt))[1]
    made.run(FRONT, ShotStore(tmp_path))
    assert [attempt.blind_negative for attempt in attempts] == [False, True, True]
    assert attempts[0].cfg == attempts[1].cfg < attempts[2].cfg
    assert len({attempt.seed for attempt in attempts}) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "views", "steps"),
    [
        pytest.param((3,), 2, 6, id="one"),
        pytest.param((3, 4, 5, 6), 6, 8, id="many", marks=pytest.mark.nightly),
    ],
)
@torch.inference_mode()
def test_strengthened_likeness_makes_shots_more_like_the_original(
    models, tmp_path, people, views, steps
):
    plan = ShotPlan(turnaround().requests[:views])
    likeness: dict[bool, list[float]] = {False: [], True: []}
    for number in people:
        source = Shot(demo_picture(number), Provenance("original"))
        person = Character("Ada", "zqx", "person", source)
        for strengthened, found in likeness.items():
            made = shoot(person, models, steps, strengthen_likeness=strengthened)
            store = ShotStore(tmp_path / f"{number}-{strengthened}")
            found += [shot.score("identity").value for shot in made.run(plan, store)]
    assert sum(likeness[True]) > sum(likeness[False]) + 0.02 * len(likeness[True])
