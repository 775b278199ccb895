from dataclasses import replace

import pytest

from facet.engine.core.character import Tags
from facet.engine.scoring.adherence import Shown
from facet.engine.scoring.calibrate import Calibration, Scales
from facet.engine.scoring.metrics import COPIES, POSE_COPIES
from facet.engine.scoring.protocol import ATTRIBUTE, LEAK, SCENE, TRIGGER
from facet.engine.scoring.protocol import TestPrompt as Prompt
from facet.engine.scoring.sample import ScoredSample
from facet.engine.scoring.variant import Variant, diversity, variant
from facet.engine.vision.copies import Nearest, NearestPerson

CALIBRATION = Calibration((0.0, 0.1, 0.05, 0.1), (0.8, 0.9, 0.85, 0.9))
NEAREST = Nearest("a", 10.0, 0.3, 0.5, False)


def sample(similarity=0.8, kind=SCENE, view="front", seed=0, **values) -> ScoredSample:
    prompt = Prompt(Tags(view=view), seed, kind)
    near = values.pop("nearest", NEAREST)
    return ScoredSample(prompt, "", similarity, None, 0.0, near, **{"to_set": similarity, **values})


def made(*samples: ScoredSample, scales: Scales | None = None, off=()) -> Variant:
    return variant("x", samples, scales or Scales(CALIBRATION, CALIBRATION, {}), True, off)


def test_a_picture_without_a_face_is_no_more_the_character_than_a_stranger():
    seen = [sample(face=True, seed=n) for n in range(2)]
    lost = [replace(sample(face=False, seed=n), yaw=None) for n in range(2, 6)]
    one = made(*seen, *lost)
    assert one.identity.value == pytest.approx(0.0)
    assert one.strangers == 4
    assert one.metrics["faces"].value == pytest.approx(2 / 6)
    assert one.metrics["to_set"].value == pytest.approx(0.0)


def test_only_scenes_make_the_figure_of_likeness():
    others = [sample(-1.0, kind, seed=9) for kind in (ATTRIBUTE, TRIGGER, LEAK)]
    one = made(sample(seed=1), sample(seed=2), *others)
    assert one.identity == made(sample(seed=1), sample(seed=2)).identity
    assert one.metrics["attributes"].value == pytest.approx(CALIBRATION.score(-1.0))
    assert one.metrics["copies"].count == 5


def test_a_view_with_pictures_of_its_own_has_its_own_scale():
    profile = Calibration((0.0, 0.05, 0.1), (0.5, 0.55, 0.5))
    scales = Scales(CALIBRATION, CALIBRATION, {"profile_left": profile})
    one = made(sample(0.5, view="profile_left"), sample(0.85), scales=scales)
    assert one.by_view["profile_left"].value == pytest.approx(1.0)
    few = replace(profile, positives=(0.5,))
    shared = made(
        sample(0.5, view="profile_left"),
        scales=Scales(CALIBRATION, CALIBRATION, {"profile_left": few}),
    )
    assert shared.by_view["profile_left"].value == pytest.approx(CALIBRATION.score(0.5))


@pytest.mark.parametrize(("sharpness", "chroma"), [(4.0, 20.0), (0.5, 20.0), (1.0, 60.0)])
def test_pictures_unlike_those_without_the_lora_are_spoiled(sharpness, chroma):
    off = sample(0.1, sharpness=1.0, chroma=20.0)
    assert (
        made(replace(off, sharpness=1.2, chroma=24.0), off=[off]).metrics["unspoiled"].value == 1.0
    )
    assert (
        made(replace(off, sharpness=sharpness, chroma=chroma), off=[off]).metrics["unspoiled"].value
        == 0.0
    )


def test_leaks_are_counted_over_the_pictures_that_show_clothes():
    worn = [sample(kind=LEAK, seed=n, wears_own=w) for n, w in enumerate((True, False, None))]
    assert made(sample(), *worn).metrics["leaks"].value == 0.5


def test_what_is_asked_for_is_counted_over_the_scenes_where_it_can_be_seen():
    tags = Tags(framing="close_up", expression="smile")
    text = "wearing red coat, plain blue background"
    seen = [
        Shown("close_up", "smile", ("red",), ("blue",)),
        Shown("full", "smile", ("green", "teal"), ()),
        Shown("close_up", "", None, ("blue", "purple")),
        Shown(),
    ]
    made_of = [
        replace(sample(seed=n), prompt=Prompt(tags, n), text=text, shown=one)
        for n, one in enumerate(seen)
    ]
    one = made(*made_of, replace(sample(kind=TRIGGER, seed=9), shown=seen[1]))
    assert (one.metrics["framings"].value, one.metrics["framings"].count) == (
        pytest.approx(2 / 3),
        3,
    )
    assert (one.metrics["expressions"].value, one.metrics["expressions"].count) == (1.0, 2)
    assert (one.metrics["colours"].value, one.metrics["colours"].count) == (pytest.approx(3 / 5), 5)


def test_figures_are_counted_where_people_were_cut_out():
    copied, other = (
        replace(NEAREST, figure=NearestPerson("b", 0.9, copied=copied)) for copied in (True, False)
    )
    one = made(sample(), sample(seed=1, nearest=copied), sample(seed=2, nearest=other))
    assert (one.metrics["figures"].value, one.metrics["figures"].count) == (0.5, 2)
    assert one.most_often(POSE_COPIES.training_image) == "b"
    assert one.most_often(COPIES.training_image) == ""
    assert made(sample()).metrics["figures"].value is None


def test_heads_that_turn_and_faces_that_move_are_diverse():
    still = [sample(kind=TRIGGER, expression=(0.1, 0.2)) for _ in range(4)]
    assert diversity(still).yaw == 0.0 and diversity(still).expression == 0.0
    moving = [
        replace(one, yaw=yaw, expression=(yaw / 90, 0.0))
        for one, yaw in zip(still, (-40.0, 0.0, 20.0, 45.0), strict=True)
    ]
    assert diversity(moving).yaw > 20
    assert diversity(moving).expression > 0.2
    assert diversity(moving[:2]).yaw is None
