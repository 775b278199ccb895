from dataclasses import replace

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.generate.character_shot.judge import (
    COPY,
    NO_FACE,
    UNLIKE,
    VIEW,
    ImageJudge,
    Measures,
    Verdict,
    measures_from,
)
from facet.engine.scoring.calibrate import Calibration
from facet.engine.vision.crops import Crop
from facet.engine.vision.embedders import AppearanceEmbedder, FaceEmbedder
from facet.engine.vision.recognition import open_face_model
from facet.world.scene import Scene
from harness.demo_lora import true_character, true_shot
from harness.face_models import random_iresnet, write_safetensors

PERSON = 4


@pytest.fixture(scope="module")
def models(demo_models: DemoModels) -> DemoModels:
    return demo_models


@pytest.fixture(scope="module")
def ada() -> Character:
    return true_character(PERSON)


@pytest.fixture(scope="module")
def judge(models, ada) -> ImageJudge:
    with torch.inference_mode():
        return ImageJudge(ada, seen(models), models.face)


def seen(models: DemoModels, crop: Crop = "whole") -> AppearanceEmbedder:
    return AppearanceEmbedder(models.clip_vision, crop)


def causes(judge: ImageJudge, image: torch.Tensor, view: str) -> set[str]:
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
    scored = ImageJudge(ada, seen(models), None, scale, 0.5)
    verdict = scored.judge(Measures(cosine=0.45), "front")
    assert verdict.score == pytest.approx(0.5) and verdict.passed
    assert verdict.value == verdict.score
    bare = ImageJudge(ada, seen(models)).judge(Measures(cosine=0.45), "front")
    assert bare.causes == (UNLIKE,) and bare.value == 0.45 and bare.score is None


def test_a_face_turned_away_may_be_less_alike(models, ada):
    judge = ImageJudge(ada, seen(models))
    for view, limit in (("front", 0.5), ("profile_left", 0.425), ("back", 0.375), ("", 0.5)):
        assert judge.judge(Measures(cosine=0.0), view).limit == pytest.approx(limit)


@torch.inference_mode()
def test_what_is_known_is_not_measured_again_and_what_is_not_is(models, ada, judge):
    image = ada.shots[0].image
    first = judge.measure(image)
    assert judge.measure(torch.zeros_like(image), first) == first
    other = ImageJudge(replace(ada, shots=ada.shots[:4]), seen(models), models.face)
    again = other.measure(image, first)
    assert again.cosine == first.cosine and again.by != first.by
    assert measures_from(first.record()) == first


@torch.inference_mode()
def test_likeness_by_another_crop_or_other_weights_is_measured_anew(models, ada, judge, tmp_path):
    image = ada.shots[0].image
    first = judge.measure(image)
    files = [
        write_safetensors(
            tmp_path / str(seed) / "r18.safetensors", random_iresnet(18, 8, seed).state_dict()
        )
        for seed in (0, 1)
    ]
    faces = [FaceEmbedder(open_face_model(file)) for file in files]
    for embedder in (seen(models, "aligned face"), *faces, replace(faces[0], mirrored=False)):
        other = ImageJudge(ada, embedder, models.face)
        again = other.measure(image, first)
        assert again.by[0] != first.by[0] and again.by[1:] == first.by[1:]
        assert again.cosine != first.cosine and again.yaw == first.yaw
        assert again == other.measure(image) == other.measure(torch.zeros_like(image), again)
        first = again


@torch.inference_mode()
def test_on_faces_strangers_are_unlike_and_a_new_picture_of_the_character_is_not(models, ada):
    judge = ImageJudge(ada, seen(models, "aligned face"), models.face)
    for view in ("front", "three_quarter_left"):
        scene = Scene(view=view, top="dress", place="beach", jitter=77)
        assert causes(judge, true_shot(PERSON, scene).image, view) == set()
    strangers = [causes(judge, demo_picture(number), "") for number in range(20, 30)]
    assert sum(UNLIKE in found for found in strangers) >= 9
    assert "appearance by" in judge.notes[0] and "aligned face" in judge.notes[0]
    assert "identity" not in judge.notes[0]


@torch.inference_mode()
def test_without_the_background_only_the_person_counts(models, ada):
    alone = seen(models, "without background")
    judge = ImageJudge(ada, alone, models.face, background=models.background)
    scene = Scene(view="front", top="dress", place="beach", jitter=77)
    image = true_shot(PERSON, scene).image
    images = [ada.source.image, image]
    masks = [models.background.encode_image(one[None])[0] for one in images]
    original, made = alone.embed(images, masks).vectors
    assert judge.measure(image).cosine == pytest.approx(float(original @ made), abs=1e-4)
    assert causes(judge, image, "front") == set()
    strangers = [causes(judge, demo_picture(number), "") for number in range(20, 30)]
    assert sum(UNLIKE in found for found in strangers) >= 9
    assert judge.judge(Measures(), "back").causes == (UNLIKE,)
    with pytest.raises(ValueError, match="finds nobody in the original picture"):
        ImageJudge(ada, alone, models.face, background=Nobody())


class Nobody:
    """A background removal that finds nobody in any picture."""

    def encode_image(self, image: torch.Tensor) -> torch.Tensor:
        return torch.zeros(image.shape[:3])


@torch.inference_mode()
def test_a_picture_without_a_face_has_no_likeness_on_faces(models, ada):
    judge = ImageJudge(ada, seen(models, "aligned face"), models.face)
    measures = judge.measure(torch.full((128, 128, 3), 0.5))
    assert measures.cosine is None and measures.face is False
    verdict = judge.judge(measures, "front")
    assert verdict.causes == (NO_FACE,) and verdict.value is None and verdict.limit is None
    assert judge.judge(measures, "back").passed
    somebody = judge.judge(Measures(0.1, True, 0.0), "front")
    right = judge.judge(Measures(0.9, True, 80.0), "front")
    assert verdict.rank < somebody.rank < right.rank  # the wrong view of the character
    assert judge.judge(Measures(None, True, 0.0), "front").causes == (UNLIKE,)


@torch.inference_mode()
def test_an_original_without_a_face_cannot_be_compared_on_faces(models):
    alone = Character("Ada", "zqx", "person", Shot(torch.zeros(64, 64, 3), Provenance("original")))
    for face_model in (models.face, None):
        with pytest.raises(ValueError, match=r"^appearance by .* finds no face in the original"):
            ImageJudge(alone, seen(models, "aligned face"), face_model)


@torch.inference_mode()
def test_a_copy_is_found_by_pixels_alone(models, ada):
    judge = ImageJudge(ada)
    assert judge.measure(ada.shots[2].image).copied == ada.shots[2].hash
    fresh = true_shot(PERSON, Scene(view="front", top="dress", place="beach", jitter=9)).image
    assert judge.measure(fresh).copied == ""


@pytest.mark.parametrize("record", [None, 3, {}, {"by": ["a"]}, {"strange": 1}])
def test_a_record_that_says_nothing_is_measured_anew(record):
    assert measures_from(record) == Measures()


def test_what_cannot_be_measured_is_said_and_fails_nothing(models):
    alone = Character("Ada", "zqx", "person", Shot(torch.zeros(64, 64, 3), Provenance("original")))
    for judge, words in (
        (ImageJudge(None, seen(models), None), ("No character", "No FACE_DETECTION_MODEL")),
        (
            ImageJudge(alone, None, models.face),
            ("Neither a CLIP_VISION nor", "no face in the original"),
        ),
        (ImageJudge(alone, seen(models), None), ("bare cosine", "fewer than 3 pictures")),
        (
            ImageJudge(alone, seen(models), None, Calibration((), ())),
            ("sets no scale", "fewer than 3"),
        ),
    ):
        said = " ".join(judge.notes)
        assert all(word in said for word in words), said
    nothing = ImageJudge(None).judge(ImageJudge(None).measure(torch.zeros(64, 64, 3)), "front")
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
