"""Facet Judge: which models measure, how strict they are, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from facet.engine.demo.models import DemoModels
from facet.engine.generate.shots.gates import Thresholds
from facet.engine.generate.shots.remedies import RetryRules, rules_from, thresholds_from
from facet.engine.studio.judge import Judge
from facet.nodes.common.node import Settings
from facet.nodes.studio.judge import FacetJudge
from harness.executor import Executor, NodeError
from harness.face_models import face_embedder
from harness.prompts import demo_prompt, node, studio_node


def made(**given: Any) -> Judge:
    """What the node gives with its widgets as they come, but for ``given``."""
    (judge,) = FacetJudge.execute(**(node("FacetJudge")["inputs"] | given)).args
    assert isinstance(judge, Judge)
    return judge


def test_an_untouched_judge_has_no_models_and_the_usual_thresholds() -> None:
    judge = made()
    assert replace(judge, options={}).__dict__ == Judge().__dict__
    assert thresholds_from(judge.options) == Thresholds()
    assert rules_from(judge.options) == RetryRules()


@pytest.mark.slow
def test_with_nothing_connected_each_gate_that_needs_a_model_is_skipped_and_says_so(
    comfy: Executor,
) -> None:
    line = "close-up, front view"
    prompt = demo_prompt(
        plan=node("FacetShotPlan", preset="own lines only", lines=line),
        studio=studio_node(),
        judge=node("FacetJudge"),
        shots=node(
            "FacetShotGenerator",
            character=["character", 0],
            plan=["plan", 0],
            studio=["studio", 0],
            judge=["judge", 0],
        ),
    )
    [shot] = comfy.run(prompt).value("shots").shots
    scores = {score.gate: score for score in shot.scores}
    for gate, lacks in (
        ("view", "no FACE_DETECTION_MODEL"),
        ("framing", "no FACE_DETECTION_MODEL"),
        ("persons", "no FACE_DETECTION_MODEL"),
        ("identity", "no CLIP_VISION is connected"),
    ):
        assert scores[gate].passed is None and scores[gate].value is None
        assert "skipped" in scores[gate].note and lacks in scores[gate].note
    # It is judged by what needs no model, and otherwise taken.
    assert scores["sharpness"].passed is not None


def test_what_was_changed_on_the_node_wins_over_the_options() -> None:
    options = {"tries": 5, "max_yaw_error": 8.0, "min_identity": 0.7, "check_persons": False}
    judge = made(options=Settings(options), max_yaw_error=20.0)
    thresholds = thresholds_from(judge.options)
    assert (thresholds.max_yaw_error, thresholds.min_identity) == (20.0, 0.7)
    assert thresholds.off == {"persons"} and rules_from(judge.options).tries == 5


def test_the_models_of_another_judge_are_added_and_its_thresholds_are_not(
    demo_models: DemoModels,
) -> None:
    faces = made(face_detection_model=demo_models.face, tries=7, min_identity=0.9)
    both = made(clip_vision=demo_models.clip_vision, judge=faces, min_identity=0.3)
    assert (both.face_model, both.clip_vision) == (demo_models.face, demo_models.clip_vision)
    assert thresholds_from(both.options).min_identity == 0.3
    assert rules_from(both.options).tries == RetryRules().tries
    # What only one of the two has is enough for what looks at faces.
    assert made(clip_vision=demo_models.clip_vision, judge=faces, look_at="aligned face").embedder


@pytest.mark.parametrize(
    ("socket", "part", "kind"),
    [
        ("face_detection_model", "face_model", "face"),
        ("clip_vision", "clip_vision", "clip_vision"),
        ("background_removal", "background", "background"),
    ],
)
def test_two_models_of_a_kind_are_refused(
    demo_models: DemoModels, socket: str, part: str, kind: str
) -> None:
    model = getattr(demo_models, kind)
    connected = made(**{socket: model})
    assert getattr(connected, part) is model
    with pytest.raises(ValueError, match=rf"^Facet Judge: {socket} is connected here, and the ju"):
        made(**{socket: model}, judge=connected)


@pytest.mark.parametrize(
    ("connected", "sentence"),
    [
        ({"person_detector": "model"}, "A Flux model finds no people; connect an RT-DETR model"),
        ({"pose_vae": "vae"}, "A pose_vae is connected and no pose_model; connect both"),
        ({"pose_model": "model"}, "A Flux model finds no poses; connect the MODEL of an SDPose"),
        (
            {"pose_model": "model", "pose_vae": "vae"},
            "A Flux model finds no poses; connect the MODEL of an SDPose checkpoint",
        ),
    ],
)
def test_a_model_that_cannot_measure_is_refused(
    demo_models: DemoModels, connected: dict[str, str], sentence: str
) -> None:
    given = {name: getattr(demo_models, part) for name, part in connected.items()}
    with pytest.raises(ValueError, match=rf"^Facet Judge: {sentence}"):
        made(**given)


@pytest.mark.parametrize(
    ("look_at", "sentence"),
    [
        ("aligned face", "needs a face detection model; connect one"),
        ("without background", "needs a background removal model; connect one"),
    ],
)
def test_likeness_that_lacks_a_model_is_refused(
    demo_models: DemoModels, look_at: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=rf"^Facet Judge: .*{sentence}"):
        made(clip_vision=demo_models.clip_vision, look_at=look_at)


def test_a_face_embedder_needs_what_finds_faces(demo_models: DemoModels) -> None:
    recognition = face_embedder()
    with pytest.raises(
        ValueError, match=r"^Facet Judge: .*needs a face detection model; connect one"
    ):
        made(face_embedder=recognition, clip_vision=demo_models.clip_vision)
    judge = made(face_embedder=recognition, face_detection_model=demo_models.face)
    assert judge.embedder is recognition


def test_it_is_the_judge_that_speaks_in_a_graph(comfy: Executor) -> None:
    prompt = demo_prompt(
        judge=node("FacetJudge", person_detector=["models", 2]),
        shown=node("PreviewAny", source=["judge", 0]),
    )
    with pytest.raises(NodeError, match="Facet Judge: A Flux model finds no people"):
        comfy.run(prompt)
