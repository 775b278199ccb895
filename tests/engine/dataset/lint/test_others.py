"""Somebody else's pictures among a character's, as a recognition model tells them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.dataset.lint import Report, lint
from facet.engine.demo.models import DemoModels
from facet.engine.vision.embedders import FaceEmbedder
from facet.engine.vision.recognition import open_face_model
from facet.real_faces.models import RealFaces
from harness.demo_lora import true_character
from harness.face_models import SEEN_AS, demo_recogniser, write_card

MINE, OTHER = 3, 9


@pytest.fixture(scope="module")
def recogniser(demo_models: DemoModels, tmp_path_factory: pytest.TempPathFactory) -> FaceEmbedder:
    file = tmp_path_factory.mktemp("others") / "mine.onnx"
    demo_recogniser(file, demo_models.clip_vision)
    write_card(file, **SEEN_AS, crop="whole")
    return FaceEmbedder(open_face_model(file), mirrored=False)


def with_other(count: int = 1) -> Character:
    """Somebody of the demo world, with pictures of another one among theirs."""
    mine, other = true_character(MINE), true_character(OTHER)
    return replace(mine, shots=(*mine.shots, *other.shots[:count]))


def others(report: Report) -> set[str]:
    return {one.shots[0] for one in report.findings if one.kind == "somebody_else"}


@pytest.mark.parametrize("count", [1, 3])
@torch.inference_mode()
def test_pictures_of_somebody_else_are_found(
    demo_models: DemoModels, recogniser: FaceEmbedder, count: int
) -> None:
    character = with_other(count)
    report = lint(character, face_model=demo_models.face, face_embedder=recogniser)
    assert others(report) == {shot.hash for shot in character.shots[-count:]}
    finding = next(one for one in report.findings if one.kind == "somebody_else")
    assert finding.fix is not None and finding.fix.action == "exclude"
    assert "character recognition by mine (ONNX), whole picture" in finding.says


@torch.inference_mode()
def test_a_character_alone_is_never_somebody_else(
    demo_models: DemoModels, recogniser: FaceEmbedder
) -> None:
    for person in (0, 3, 4):
        report = lint(true_character(person), face_model=demo_models.face, face_embedder=recogniser)
        assert others(report) == set()


@torch.inference_mode()
def test_what_is_known_to_be_the_same_decides(
    demo_models: DemoModels, recogniser: FaceEmbedder
) -> None:
    character = with_other()
    for same_from, found in ((-0.9, 0), (0.5, 1)):
        card = replace(recogniser.model.card, same_from=same_from)
        knowing = FaceEmbedder(replace(recogniser.model, card=card), mirrored=False)
        report = lint(character, face_model=demo_models.face, face_embedder=knowing)
        assert len(others(report)) == found


@torch.inference_mode()
def test_what_cannot_be_judged_is_said(demo_models: DemoModels, recogniser: FaceEmbedder) -> None:
    def said(character: Character, embedder: FaceEmbedder | None) -> str:
        report = lint(character, face_model=demo_models.face, face_embedder=embedder)
        assert others(report) == set()
        return next(one for one in report.skipped if one.startswith("Somebody else's pictures"))

    mine = with_other()
    few = replace(mine, shots=mine.shots[:2])
    assert "no face embedder is connected" in said(mine, None)
    assert "several characters" in said(replace(mine, companions=("bob man",)), recogniser)
    assert "3 of 3 show a face, and 4 are needed" in said(few, recogniser)
    noise = replace(recogniser.model, recogniser=lambda seen: torch.randn(len(seen), 64))
    assert "the images are not alike to character recognition" in said(mine, FaceEmbedder(noise))


class Counting(torch.nn.Module):
    """A recogniser that says how many faces it was shown."""

    def __init__(self, inner: FaceEmbedder) -> None:
        super().__init__()
        self.inner, self.seen = inner.model.recogniser, 0

    def __call__(self, faces: torch.Tensor) -> torch.Tensor:
        self.seen += len(faces)
        return self.inner(faces)


@torch.inference_mode()
def test_a_second_look_asks_the_recogniser_nothing(
    demo_models: DemoModels, recogniser: FaceEmbedder
) -> None:
    counting = Counting(recogniser)
    embedder = FaceEmbedder(replace(recogniser.model, recogniser=counting), mirrored=False)
    character = with_other()
    first = lint(character, face_model=demo_models.face, face_embedder=embedder)
    seen = counting.seen
    again = lint(character, face_model=demo_models.face, face_embedder=embedder)
    assert seen >= 9 and counting.seen == seen
    assert others(again) == others(first)


@torch.inference_mode()
def test_one_photograph_among_another_persons_is_found(real_faces: RealFaces) -> None:
    embedder = FaceEmbedder(open_face_model(real_faces.recogniser))
    mine = [one for one in real_faces.photographs.values() if one.who == "obama" and one.portrait]
    [other] = [one for one in real_faces.photographs.values() if one.who == "biden"]
    shots = [Shot(one.image, Provenance("imported", file=one.file)) for one in [*mine, other]]
    character = Character("Real", "zqx", "man", shots[0], tuple(shots[1:]))
    report = lint(character, face_model=real_faces.model, face_embedder=embedder)
    assert others(report) == {shots[-1].hash}
