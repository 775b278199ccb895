"""Portraits on their side, with nothing in the file that says so."""

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.dataset.lint.looks import looks
from facet.engine.dataset.lint.pictures import faces
from facet.engine.vision import by_picture
from facet.engine.vision import faces as measured
from facet.engine.vision.faces import lies_on_its_side

TURNS = {1: "by 90° to the right", 3: "by 90° to the left", 2: "by 180°"}


class Upright:
    """Finds the one face there is in a picture whose brightest corner is the top left."""

    framing_bands = (0.27, 0.13)


@pytest.fixture
def model(monkeypatch) -> Upright:
    def find_faces(_model: object, image: torch.Tensor) -> list[measured.Face]:
        if image[:4, :4].mean() < 0.9:
            return []
        height, width = image.shape[:2]
        box = (width / 4, height / 4, width / 2, height / 2)
        return [measured.Face(torch.zeros(478, 2).numpy(), box, 0, 0, 0, 9, 1, {})]

    monkeypatch.setattr(measured, "find_heads", find_faces)
    monkeypatch.setattr(by_picture, "find_heads", find_faces)
    return Upright()


def portrait() -> torch.Tensor:
    image = torch.zeros(60, 40, 3)
    image[:8, :8] = 1
    return image


@pytest.mark.parametrize("quarters", TURNS)
def test_it_is_said_and_how_to_turn_it(model, quarters):
    turned = torch.rot90(portrait(), quarters, (0, 1))
    said = f"The image lies on its side; turn it {TURNS[quarters]}."
    assert lies_on_its_side(model, turned) == said
    shot = Shot(turned, Provenance("original"), caption="zqx person")
    character = Character("Ada", "zqx", "person", shot)
    [finding] = faces(character, looks(character, model), model)
    assert finding.kind == "no_face" and said in finding.says


def test_where_no_turn_shows_a_face_nothing_is_said(model):
    assert lies_on_its_side(model, torch.zeros(60, 40, 3)) == ""
