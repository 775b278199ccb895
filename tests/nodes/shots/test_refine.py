"""The refining node: what it puts out, where it keeps it, and what it says of what is missing."""

from __future__ import annotations

from pathlib import Path

import folder_paths
import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.demo.people import demo_picture
from facet.engine.families.modes import ReferenceMode
from facet.engine.studio.judge import Judge
from facet.nodes.shots.refine import FacetRefineShots
from harness.studios import studio_of


@pytest.fixture(autouse=True)
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))


def ada(*shots: int) -> Character:
    made = [Shot(demo_picture(n), Provenance("generated"), tags=Tags("close_up")) for n in shots]
    original = Shot(demo_picture(0), Provenance("original"))
    return Character("Ada", "zqx", "person", original, (*made,))


def test_shots_are_enlarged_and_kept_in_the_characters_folder(tmp_path: Path):
    character, pictures, text = FacetRefineShots.execute(ada(1, 2), upscale_by=1.5).args
    assert [tuple(picture.shape) for picture in pictures] == [(1, 192, 192, 3)] * 2
    assert len(character.shots) == len(text.splitlines()) == 2
    assert "192 by 192 pixels" in text
    assert len(list((tmp_path / "facet" / "Ada" / "refined").glob("*.png"))) == 2


@torch.inference_mode()
def test_a_studio_paints_detail_and_a_judge_says_whether_it_is_still_the_same(
    demo_models: DemoModels,
):
    shot = demo_picture(0)
    painted = {
        "upscale_by": 1.0,
        "face_denoise": 0.0,
        "studio": studio_of(demo_models, steps=4, cfg=3.0),
        "max_identity_loss": 1.0,
    }
    measured, _, _ = FacetRefineShots.execute(ada(0), judge=demo_models.judge(), **painted).args
    assert not torch.equal(measured.shots[0].image, shot)
    assert measured.shots[0].score("refine").value is not None
    # A judge with nothing measures nothing, and none is as good as that.
    for judge in (Judge(), None):
        unmeasured, _, _ = FacetRefineShots.execute(ada(0), judge=judge, **painted).args
        assert torch.equal(unmeasured.shots[0].image, measured.shots[0].image)
        assert unmeasured.shots[0].score("refine").value is None


def test_a_model_is_asked_how_it_is_shown_the_original_only_where_it_is(demo_models: DemoModels):
    studio = studio_of(demo_models, ReferenceMode.AUTO)
    with pytest.raises(ValueError, match=r"^Facet Refine Shots: A Flux model may or may not take"):
        FacetRefineShots.execute(ada(1), studio=studio, show_original=True)


def test_nothing_to_do_is_said_in_a_sentence():
    with pytest.raises(ValueError, match=r"^Facet Refine Shots: There is nothing to do"):
        FacetRefineShots.execute(ada(1), upscale_by=1.0)
    with pytest.raises(ValueError, match=r"^Facet Refine Shots: .*put this node after"):
        FacetRefineShots.execute(ada())
