"""Pictures that were held out: the second likeness, and what may not be one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.scoring.calibrate import Interval
from facet.engine.scoring.evaluate import Evaluation, evaluate
from facet.engine.scoring.held_out import unseen
from facet.engine.scoring.metrics import HELD_OUT
from facet.engine.scoring.protocol import prompt_suite
from facet.engine.scoring.report.glance import glance
from facet.engine.scoring.report.material import Material
from facet.engine.scoring.report.page import rendered
from facet.engine.scoring.sampler import Bench, Candidate
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.scene import Scene
from harness.faces import drawn_picture
from harness.variants import changed

OWN, OTHER = Identity.from_seed(FIRST), Identity.from_seed(FIRST + 1)
DRIFTED = replace(OWN, hair_style=OTHER.hair_style, hair_length=OTHER.hair_length)
"""Like the person but for the hair: what shots may have in common and the person has not."""
RANDOM = random.Random(1)
SCENES = [Scene.sample(RANDOM, view="front") for _ in range(30)]


def pictures(who: Identity, first: int, count: int) -> list[torch.Tensor]:
    return [drawn_picture(who, scene) for scene in SCENES[first : first + count]]


def person(shots: Identity) -> Character:
    """The person's true picture, and seven shots of it."""
    source = Shot(pictures(OWN, 0, 1)[0], Provenance("original"))
    made = [Shot(one, Provenance("generated")) for one in pictures(shots, 1, 7)]
    return Character("Ada", "zqx", "person", source, tuple(made))


@pytest.fixture(scope="module")
def scored(demo_models: DemoModels) -> Callable[..., Evaluation]:
    """What is made of a LoRA that draws ``who`` as the shots show it, with pictures held out."""

    def score(shots: Identity, who: Identity, held_out: list[torch.Tensor]) -> Evaluation:
        character = person(shots)
        prompts = [
            replace(one, tags=Tags(view="front"), seed=number)
            for number, one in enumerate(prompt_suite(character, 12, 5))
        ]

        def make(candidate):
            def image(_text: str, seed: int) -> torch.Tensor:
                one = Identity.from_seed(FIRST + 2 + seed) if candidate is None else who
                return drawn_picture(one, SCENES[10 + seed])

            return image

        models = demo_models
        bench = Bench(
            models.model,
            models.clip,
            models.vae,
            models.clip_vision,
            Sampling(128, 128),
            models.face,
            held_out=tuple(held_out),
        )
        return evaluate(character, [Candidate("it", 1.0, dict)], bench, prompts, make=make)

    return score


def test_a_lora_of_the_person_is_like_the_pictures_held_out_too(scored):
    card = scored(OWN, OWN, pictures(OWN, 24, 3)).card
    assert card.best[HELD_OUT].value > 0.8
    assert card.off[HELD_OUT].value == pytest.approx(0, abs=1e-6)
    assert f"similarity is {card.best[HELD_OUT].text}: the harder figure." in card.verdict


def test_what_the_shots_share_and_the_person_has_not_shows_beside_pictures_held_out(scored):
    """The LoRA draws the shots exactly, so by them it is the character."""
    drifted = scored(DRIFTED, DRIFTED, pictures(OWN, 24, 3)).card.best
    true = scored(OWN, OWN, pictures(OWN, 24, 3)).card.best
    assert drifted.identity.value == pytest.approx(true.identity.value, abs=0.06)
    assert drifted[HELD_OUT].high < true[HELD_OUT].low
    assert drifted[HELD_OUT].value < drifted.identity.value - 0.1


def test_a_lora_unlike_them_is_said_with_what_to_do(scored):
    card = scored(OWN, OWN, pictures(OWN, 24, 1)).card
    poor = replace(card, best=changed(card.best, held_out=Interval(0.42, 0.3, 0.5, 12)))
    assert (
        "It is less like the held-out pictures (0.42), which neither what made the shots nor the "
        "trainer has seen: leave out shots that have drifted" in poor.verdict
    )
    assert "the harder figure" not in poor.verdict


def test_one_picture_held_out_is_enough(scored):
    value = scored(OWN, OWN, pictures(OWN, 24, 1)).card.best[HELD_OUT]
    assert value.value > 0.5 and value.low < value.value < value.high and value.count == 12


def test_it_is_in_every_place_that_shows_a_metric(scored):
    evaluation = scored(OWN, OWN, pictures(OWN, 24, 2))
    card, character = evaluation.card, person(OWN)
    told = json.loads(json.dumps(card.to_dict()))
    assert told["held_out"]["value"] == card.best[HELD_OUT].value
    assert len(told["held_out_calibration"]["positives"]) == 3  # the original, and each other
    assert json.loads(card.stamp())["held_out"][0] == card.best[HELD_OUT].value
    assert all(row["cosine_with_held_out"] is not None for row in card.rows())
    of = Material(character, evaluation)
    assert "Similarity with held-out pictures" in rendered("numbers", of)
    assert "The harder one" in rendered("numbers", of)
    assert "It is like pictures that nobody has seen" in rendered("rules", of)
    assert rendered("summary", of).count("Held out: nobody has seen it") == 2
    assert list(glance(character, evaluation)["numbers"]) == [
        "identity",
        "held_out",
        "views",
        "copies",
    ]


def test_without_them_the_report_says_how_to_have_it_and_the_verdict_nothing(scored):
    evaluation = scored(OWN, OWN, [])
    assert evaluation.card.best[HELD_OUT].value is None
    assert "held-out" not in evaluation.card.verdict
    of = Material(person(OWN), evaluation)
    assert "Connect held_out: pictures of the character that nobody has seen." in rendered(
        "numbers", of
    )
    assert "held_out" not in glance(person(OWN), evaluation)["numbers"]


def test_pictures_of_somebody_else_give_no_figure_and_that_is_said(scored):
    evaluation = scored(OWN, OWN, pictures(Identity.from_seed(FIRST + 9), 24, 1))
    assert evaluation.card.best[HELD_OUT].value is None
    numbers = rendered("numbers", Material(person(OWN), evaluation))
    assert "The held-out pictures are hardly more like the original" in numbers


def test_a_picture_with_nobody_in_it_is_refused(scored, demo_models):
    from facet.engine.scoring.measure import SampleMeter
    from facet.engine.vision.embedders import AppearanceEmbedder

    by_face = AppearanceEmbedder(demo_models.clip_vision, "aligned face")
    empty = torch.full((128, 128, 3), 0.5)
    held_out = [*pictures(OWN, 24, 1), empty]
    with pytest.raises(ValueError, match=r"^Held-out picture 2 cannot be compared: nobody"):
        SampleMeter(
            person(OWN), by_face, demo_models.clip_vision, demo_models.face, held_out=held_out
        )


def cropped(image: torch.Tensor) -> torch.Tensor:
    """``image`` (H, W, 3) without 5 % at each side, at three quarters of its size."""
    edge = round(0.05 * image.shape[0])
    inside = image[edge:-edge, edge:-edge].movedim(-1, 0)[None]
    smaller = torch.nn.functional.interpolate(inside, scale_factor=0.75, mode="bicubic")
    return smaller[0].movedim(0, -1).clamp(0, 1)


@pytest.mark.parametrize("change", [torch.clone, cropped])
def test_what_was_shown_before_is_refused(change):
    character, fresh = person(OWN), pictures(OWN, 24, 2)
    assert len(unseen(fresh, character, pictures(OWN, 27, 1))) == 2
    for shown, sentence in (
        (character.source.image, "is the original over again"),
        (character.shots[3].image, "is a picture of the dataset over again"),
        (pictures(OWN, 27, 1)[0], "is a reference of the studio over again"),
    ):
        with pytest.raises(ValueError, match=f"^Held-out picture 2 {sentence}; connect one"):
            unseen([fresh[0], change(shown)], character, pictures(OWN, 27, 1))


def test_a_shot_that_is_not_trained_on_may_be_held_out():
    character = person(OWN)
    aside = replace(character.shots[3], include=False)
    shots = (*character.shots[:3], aside, *character.shots[4:])
    assert unseen([aside.image], replace(character, shots=shots))
