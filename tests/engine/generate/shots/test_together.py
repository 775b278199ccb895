"""Two characters in one picture: both are shown to the model, and both have to be found again."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.dataset.lint.trigger import trigger_findings
from facet.engine.families.dialects import load
from facet.engine.families.modes import ReferenceMode
from facet.engine.generate.shots.gates import GATES, IDENTITY_GATE, PERSONS_GATE, Gates, Thresholds
from facet.engine.generate.shots.make import Shoot
from facet.engine.generate.shots.plan import ShotPlan, ShotRequest, from_lines
from facet.engine.generate.shots.remedies import RetryRules
from facet.engine.generate.shots.store import ShotStore
from facet.engine.generate.shots.together import TWO_PEOPLE_GATE, PairGate, joined, together_shoot
from facet.engine.studio.studio import Studio
from facet.engine.training.data.pictures import without_trigger
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.render import render
from facet.world.scene import Scene
from harness.edit_models import edit_models

PEOPLE = range(HELD_OUT_FROM + 7000, HELD_OUT_FROM + 7012)
SIZE = (96, 64)
OFF = Thresholds(off=frozenset(GATES))


def drawn(person: int, **scene: Any) -> torch.Tensor:
    given = {"framing": "close_up", "jitter": person, **scene}
    image = render(Identity.from_seed(person), Scene(**given), 128).image
    return torch.from_numpy(image.copy()).to(torch.float32) / 255


def character(person: int, trigger: str, name: str) -> Character:
    caption = f"{trigger} person, close-up, front view"
    return Character(
        name, trigger, "person", Shot(drawn(person), Provenance("original"), caption=caption)
    )


def pair(first: int = PEOPLE[0], second: int = PEOPLE[1]) -> tuple[Character, Character]:
    return character(first, "zqa", "Ada"), character(second, "zqb", "Bea")


def beside(*people: int) -> torch.Tensor:
    """The people side by side, as another picture of each shows them."""
    scene = {"framing": "full", "expression": "smile", "top": "jacket", "place": "park"}
    return torch.cat([drawn(one, **scene, jitter=one + 50) for one in people], dim=1)


@contextmanager
def seen(network: Any):
    calls: list[dict[str, Any]] = []
    handle = network.register_forward_pre_hook(
        lambda _module, _args, named: calls.append(dict(named)), with_kwargs=True
    )
    try:
        yield calls
    finally:
        handle.remove()


def shoot(
    two: tuple[Character, Character],
    name: str = "Flux Kontext",
    mode: ReferenceMode = ReferenceMode.REFERENCE_LATENTS,
    style: str = "auto",
    gates: Gates | None = None,
    **studio: Any,
) -> tuple[Shoot, Any]:
    models = edit_models(name)
    made = Studio(
        models.model,
        models.clip,
        models.vae,
        Sampling(*SIZE, steps=1, cfg=1.0),
        mode,
        style=style,
        **studio,
    )
    both = joined(*two)
    gates = gates or Gates(both.source.image, OFF)
    return together_shoot(both, made, gates, 1, RetryRules(tries=1), two=two), models


@pytest.mark.parametrize(
    "people",
    [
        pytest.param(PEOPLE[6:], id="few people"),
        pytest.param(PEOPLE, id="many people", marks=pytest.mark.nightly),
    ],
)
@torch.inference_mode()
def test_the_right_two_pass_and_others_do_not(demo_models, people):
    """Side by side and whole, in other clothes and places than in the originals' close-ups."""
    counts = {"both": 0, "swapped": 0, "stranger": 0, "twice": 0, "alone": 0, "three": 0}
    for first in people:
        at = PEOPLE.index(first)
        second, stranger = (PEOPLE[(at + step) % len(PEOPLE)] for step in (5, 8))
        two = pair(first, second)
        gates = Gates(two[0].source.image, Thresholds(), demo_models.face, demo_models.clip_vision)
        gate = PairGate(two, gates)
        pictures = {
            "both": beside(first, second),
            "swapped": beside(second, first),
            "stranger": beside(first, stranger),
            "twice": beside(first, first),
            "alone": beside(first),
            "three": beside(first, second, stranger),
        }
        for name, image in pictures.items():
            counts[name] += all(score.passed for score in gate.scores(image))
    passed = {name: count / len(people) for name, count in counts.items()}
    assert min(passed["both"], passed["swapped"]) >= 0.7, passed
    assert max(passed["stranger"], passed["twice"]) <= 0.2, passed
    assert passed["alone"] == passed["three"] == 0, passed


def test_what_fails_says_which_of_them_it_is(demo_models):
    two = pair()
    gates = Gates(
        two[0].source.image,
        Thresholds(min_identity=0.999),
        demo_models.face,
        demo_models.clip_vision,
    )
    people, identity = PairGate(two, gates).scores(beside(PEOPLE[1], PEOPLE[0]))
    assert (people.value, people.passed, people.note) == (2.0, True, "")
    assert identity.passed is False
    assert identity.note.startswith("only ")
    assert identity.note.endswith(("like Ada", "like Bea"))
    alone = PairGate(two, gates).scores(drawn(PEOPLE[0]))
    assert [score.passed for score in alone] == [False, False]
    assert alone[0].note == "one person instead of two"


def test_without_models_both_gates_say_that_they_were_skipped():
    two = pair()
    scores = PairGate(two, Gates(two[0].source.image, Thresholds())).scores(beside(*PEOPLE[:2]))
    assert [score.passed for score in scores] == [None, None]
    assert all(score.note.startswith("skipped: no FACE_DETECTION_MODEL") for score in scores)


@torch.inference_mode()
def test_an_edit_model_sees_both_originals_and_is_told_of_both(tmp_path):
    two = pair()
    made, models = shoot(two, style="plain")
    plan = from_lines("medium shot, smiling, in a park\ndo: they shake hands, in an office")
    with seen(models.model.model.diffusion_model) as calls:
        shots = made.run(plan, ShotStore(tmp_path))
    assert calls and all(len(call["ref_latents"]) == 2 for call in calls)
    first, second = calls[0]["ref_latents"]
    assert not torch.equal(first, second)
    assert shots[0].provenance.prompt == (
        "person in picture 1 and person in picture 2 together in one picture, medium shot, "
        "smiling, in a park"
    )
    assert "they shake hands" in shots[1].provenance.prompt
    assert shots[0].caption == "zqa person and zqb person, medium shot, smiling, in a park"
    assert shots[0].image.shape == (64, 96, 3)


@pytest.mark.parametrize(
    ("style", "begin", "end"),
    [
        ("kontext", "Show the woman from picture 1 and the dog from picture 2", "skin of each."),
        ("flux2", "A photo of the woman from image 1 and the dog from image 2", "in their image."),
        ("qwen_image_edit", "The woman in Picture 1 and the dog in Picture 2", "each unchanged."),
        ("sdxl", "woman in picture 1 and dog in picture 2", "smile, they shake hands"),
    ],
)
def test_each_family_is_told_of_both_in_its_own_words(style, begin, end):
    dialect = load(style)
    tags = Tags("medium", expression="smile")
    told = dialect.together(tags, ("woman", "dog"), True, "they shake hands.")
    assert told.startswith(begin) and told.endswith(end) and "they shake hands" in told
    described = dialect.together(tags, ("zqa woman", "zqb dog"), False)
    assert "zqa woman and " in described and "zqb dog" in described


@torch.inference_mode()
def test_the_second_original_decides_what_is_made(tmp_path):
    plan = ShotPlan((ShotRequest(Tags("medium")),))
    hashes = []
    for other in PEOPLE[1:3]:
        made, _ = shoot(pair(second=other))
        hashes.append(made.run(plan, ShotStore(tmp_path))[0].hash)
    assert hashes[0] != hashes[1]
    again = made.run(plan, ShotStore(tmp_path))
    assert again[0].hash == hashes[1]


@torch.inference_mode()
def test_a_lora_of_both_is_called_by_both_triggers():
    made, models = shoot(pair())
    model = models.model.clone()
    key, weight = next(iter(model.model.diffusion_model.named_parameters()))
    model.add_patches({f"diffusion_model.{key}": (torch.zeros_like(weight),)}, 1.0)
    request = ShotRequest(Tags("medium", expression="smile"))
    studio = replace(made.kind.line(request).camera.studio, model=model, references=())
    studio = replace(studio, mode=ReferenceMode.TRAINED_LORA)
    gates = Gates(made.character.source.image, OFF)
    called = together_shoot(made.character, studio, gates, 1, two=pair())
    assert (
        called.kind.line(request).first(1).prompt
        == "zqa person and zqb person, medium shot, smiling"
    )


@torch.inference_mode()
def test_a_model_that_can_be_shown_one_only_is_refused():
    with pytest.raises(ValueError, match="can be shown one character only; use an edit model"):
        shoot(pair(), "SD 1.5", ReferenceMode.IMG2IMG)


def test_the_joined_character_holds_the_pictures_of_both():
    ada, bea = pair()
    shot = Shot(drawn(PEOPLE[1], view="back"), Provenance("generated"), caption="zqb person, back")
    both = joined(ada, bea.adding([shot]))
    assert both.name == "Ada and Bea"
    assert both.triggers == ("zqa", "zqb")
    assert [one.hash for one in both.dataset] == [ada.source.hash, bea.source.hash, shot.hash]
    assert trigger_findings(both) == []
    assert without_trigger(both.dataset, *both.triggers) == []
    assert len(without_trigger(both.dataset, both.trigger)) == 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"trigger": "ZQA"}, "Both characters have the trigger 'zqa'"),
        ({"source": None}, "Both characters have the same original"),
        ({"caption": ""}, "1 of 1 pictures of Bea have no caption; put a Facet Caption Writer"),
    ],
)
def test_two_that_cannot_be_joined_say_why(change, sentence):
    ada, bea = pair()
    if "source" in change:
        bea = replace(bea, source=ada.source)
    elif "caption" in change:
        bea = replace(bea, source=replace(bea.source, caption=""))
    else:
        bea = replace(bea, **change)
    with pytest.raises(ValueError, match=sentence):
        joined(ada, bea)


@torch.inference_mode()
def test_view_and_framing_are_not_asked_of_two(demo_models, tmp_path):
    two = pair()
    gates = Gates(two[0].source.image, Thresholds(), demo_models.face, demo_models.clip_vision)
    made, _ = shoot(two, gates=gates)
    [shot] = made.run(ShotPlan((ShotRequest(Tags("medium", "front")),)), ShotStore(tmp_path))
    passed = {score.gate: score.passed for score in shot.scores}
    assert passed["view"] is None and passed["framing"] is None
    assert PERSONS_GATE not in passed
    assert passed[TWO_PEOPLE_GATE] is False and passed[IDENTITY_GATE] is False
    assert not shot.include
