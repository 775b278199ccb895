from dataclasses import replace

import pytest
import torch

from facet.engine.character import Character, Provenance, Shot
from facet.engine.demo.models import DemoModels, load_models
from facet.engine.demo.people import demo_picture
from facet.engine.identity.calibrate import Calibration
from facet.engine.identity.use.judge import (
    COPY,
    NO_FACE,
    UNLIKE,
    VIEW,
    Judge,
    Measures,
    Verdict,
    measures_from,
)
from facet.world.scene import Scene
from harness.demo_lora import true_character, true_shot

PERSON = 4


@pytest.fixture(scope="module")
def models() -> DemoModels:
    return load_models()


@pytest.fixture(scope="module")
def ada() -> Character:
    return true_character(PERSON)


@pytest.fixture(scope="module")
def judge(models, ada) -> Judge:
    with torch.inference_mode():
        return Judge(ada, models.clip_vision, models.face)


def causes(judge: Judge, image: torch.Tensor, view: str) -> set[str]:
    return set(judge.judge(judge.measure(image), view).causes)


@torch.inference_mode()
def test_a_new_picture_of_the_character_passes(judge):
    scene = Scene(view="three_quarter_left", top="dress", place="beach", jitter=77)
    assert causes(judge, true_shot(PERSON, scene).image, "three_quarter_left") == set()


@torch.inference_mode()
def test_somebody_else_is_unlike(judge):
    strangers = [causes(judge, demo_picture(number), "front") for number in range(20, 30)]
    assert sum(UNLIKE in found for found in strangers) >= 9


@torch.inference_mode()
def test_the_wrong_view_is_seen_and_the_right_one_is_not(judge):
    image = true_shot(PERSON, Scene(view="profile_left", top="dress", jitter=5)).image
    assert VIEW not in causes(judge, image, "profile_left")
    assert VIEW in causes(judge, image, "profile_right")
    assert VIEW in causes(judge, image, "back")
    assert not {VIEW, NO_FACE} & causes(judge, image, "")


@torch.inference_mode()
def test_a_picture_without_a_face_is_a_failure_unless_it_is_from_behind(judge):
    nobody = torch.full((128, 128, 3), 0.5)
    assert NO_FACE in causes(judge, nobody, "")
    assert NO_FACE in causes(judge, nobody, "front")
    assert NO_FACE not in causes(judge, nobody, "back")


@torch.inference_mode()
def test_a_training_picture_is_a_copy(judge, ada):
    shot = ada.shots[2]
    grain = torch.randn(shot.image.shape, generator=torch.Generator().manual_seed(0)) * 0.02
    measures = judge.measure((shot.image + grain).clamp(0, 1))
    assert measures.copied == shot.hash
    assert COPY in judge.judge(measures, "").causes


def test_the_scale_of_a_score_card_counts_where_there_is_one(models, ada):
    scale = Calibration((0.0, 0.1, 0.05), (0.8, 0.9, 0.85))
    scored = Judge(ada, models.clip_vision, None, scale, 0.5)
    verdict = scored.judge(Measures(cosine=0.45), "front")
    assert verdict.score == pytest.approx(0.5) and verdict.passed
    assert verdict.value == verdict.score
    bare = Judge(ada, models.clip_vision).judge(Measures(cosine=0.45), "front")
    assert bare.causes == (UNLIKE,) and bare.value == 0.45 and bare.score is None


def test_a_face_turned_away_may_be_less_alike(models, ada):
    judge = Judge(ada, models.clip_vision)
    for view, limit in (("front", 0.5), ("profile_left", 0.425), ("back", 0.375), ("", 0.5)):
        assert judge.judge(Measures(cosine=0.0), view).limit == pytest.approx(limit)


@torch.inference_mode()
def test_what_is_known_is_not_measured_again_and_what_is_not_is(models, ada, judge):
    image = ada.shots[0].image
    first = judge.measure(image)
    assert judge.measure(torch.zeros_like(image), first) == first
    other = Judge(replace(ada, shots=ada.shots[:4]), models.clip_vision, models.face)
    again = other.measure(image, first)
    assert again.cosine == first.cosine and again.by != first.by
    assert measures_from(first.record()) == first


@pytest.mark.parametrize("record", [None, 3, {}, {"by": ["a"]}, {"strange": 1}])
def test_a_record_that_says_nothing_is_measured_anew(record):
    assert measures_from(record) == Measures()


def test_what_cannot_be_measured_is_said_and_fails_nothing(models):
    alone = Character("Ada", "zqx", "person", Shot(torch.zeros(64, 64, 3), Provenance("original")))
    for judge, words in (
        (Judge(None, models.clip_vision, None), ("No character", "No FACE_DETECTION_MODEL")),
        (Judge(alone, None, models.face), ("No CLIP_VISION", "no face in the original")),
        (Judge(alone, models.clip_vision, None), ("bare cosine", "fewer than 3 pictures")),
        (
            Judge(alone, models.clip_vision, None, Calibration((), ())),
            ("sets no scale", "fewer than 3"),
        ),
    ):
        said = " ".join(judge.notes)
        assert all(word in said for word in words), said
    nothing = Judge(None).judge(Judge(None).measure(torch.zeros(64, 64, 3)), "front")
    assert nothing.passed and nothing.value is None


def test_the_best_is_not_somebody_else_then_has_fewest_faults_then_is_likest():
    def verdict(value, *causes):
        return Verdict(value, None, 0.5, None, causes)

    order = [
        verdict(0.2, UNLIKE, VIEW),
        verdict(0.3, UNLIKE),
        verdict(0.9, VIEW, COPY),
        verdict(0.6, VIEW),
        verdict(0.7, VIEW),
        verdict(0.55),
        verdict(0.8),
    ]
    assert sorted(order, key=lambda one: one.rank) == order
