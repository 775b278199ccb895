"""The refining node: what it puts out, where it keeps it, and what it says of what is missing."""

from __future__ import annotations

from pathlib import Path

import folder_paths
import pytest

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.people import demo_picture
from facet.nodes.shots.refine import FacetRefineShots


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


def test_half_of_a_models_set_and_nothing_to_do_are_said_in_a_sentence(demo_models):
    with pytest.raises(ValueError, match=r"^Facet Refine Shots: .*without clip and vae"):
        FacetRefineShots.execute(ada(1), model=demo_models.model)
    with pytest.raises(ValueError, match=r"^Facet Refine Shots: There is nothing to do"):
        FacetRefineShots.execute(ada(1), upscale_by=1.0)
    with pytest.raises(ValueError, match=r"^Facet Refine Shots: .*put this node after"):
        FacetRefineShots.execute(ada())
