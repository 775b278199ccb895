import pytest
import torch

from facet.engine.character import Character, Provenance, Shot, Tags
from facet.nodes.captions import FacetCaptionWriter


@pytest.fixture
def character() -> Character:
    source = Shot(torch.zeros(16, 16, 3), Provenance("original"), tags=Tags(view="front"))
    return Character("Ada", "zqx", "person", source)


def test_the_default_policy_writes_trigger_class_and_tags(character):
    output = FacetCaptionWriter.execute(character, "bind_to_trigger", True)
    assert output.args[0].source.caption == "zqx person, front view"
    assert "1 of 1 captions written" in output.args[1]


def test_a_missing_description_is_one_sentence_that_names_the_node(character):
    with pytest.raises(ValueError, match=r"^Facet Caption Writer: .* needs a description"):
        FacetCaptionWriter.execute(character, "describe_identity", True)
