import re
from dataclasses import replace

import pytest

from facet.engine.scoring.protocol import LEAK
from facet.engine.scoring.report.material import Material
from facet.engine.scoring.report.page import rendered
from facet.engine.scoring.report.samples import faults


@pytest.fixture
def sample(make_full):
    """A picture that has nothing wrong with it."""
    scene = make_full().card.best.scenes[1]
    return replace(scene, score=0.9, face=True, yaw=scene.prompt.tags.yaw)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"face": False, "yaw": None}, "No face is found."),
        ({"score": 0.31}, "Nearer to a stranger: 0.31."),
        ({"yaw": 80.0}, "Looks 80°, asked for \N{MINUS SIGN}45°."),
        ({"sharpness": 0.02}, "Blurred: 0.2 \N{MULTIPLICATION SIGN} the sharpness without"),
        ({"sharpness": 0.3}, "Noisy: 3.0"),
        ({"chroma": 60.0}, "Burnt: 3.0"),
        ({"chroma": 5.0}, "Faded: 0.2"),
    ],
)
def test_each_fault_is_said(sample, change, why):
    [said] = faults(replace(sample, **change), sample)
    assert said.startswith(why)


def test_a_good_picture_has_no_fault(sample):
    assert faults(sample, sample) == []
    assert faults(sample, None) == []


def test_copies_and_clothes_that_nobody_asked_for_are_faults(sample):
    copied = replace(sample, nearest=replace(sample.nearest, copied=True))
    assert faults(copied, sample) == ["Repeats a training image."]
    asked_nothing = replace(sample, prompt=replace(sample.prompt, kind=LEAK), wears_own=True)
    assert faults(asked_nothing, sample) == [
        "Wears the dataset's garment, which the prompt does not name."
    ]
    assert faults(replace(sample, wears_own=True), sample) == []


def test_the_picture_with_the_most_faults_comes_first(make_full, character):
    evaluation = make_full()
    best = evaluation.card.best
    samples = [replace(one, score=0.9, face=True, yaw=one.prompt.tags.yaw) for one in best.samples]
    copy = replace(samples[0].nearest, copied=True)
    samples[4] = replace(samples[4], nearest=copy, face=False, yaw=None)
    samples[2] = replace(samples[2], nearest=copy)
    card = replace(evaluation.card, best=replace(best, samples=tuple(samples)))
    card = replace(card, tried=(*card.tried[:-1], card.best))
    html = rendered("worst", Material(character, replace(evaluation, card=card)))
    said = [re.findall(r"<li>(.*?)</li>", figure) for figure in html.split("<figure>")[1:]]
    assert len(said) == 5
    assert said[0] == ["No face is found.", "Repeats a training image."]
    assert "Repeats a training image." in [reason for reasons in said[1:3] for reason in reasons]
