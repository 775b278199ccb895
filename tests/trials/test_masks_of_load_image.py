"""What core's Load Image gives as MASK, connected to Facet's nodes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.engine.vision.subject_mask import is_inverted, subject_mask
from facet.nodes.character.character import FacetCharacter, FacetImagesToShots


def person(height: int = 96, width: int = 64, plain: bool = False) -> tuple[torch.Tensor, ...]:
    """A picture with a bust in it, and a mask of 1 on that."""
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(height, width, 3, generator=generator)
    mask = torch.zeros(height, width)
    mask[height // 4 :, width // 4 : -(width // 4)] = 1
    if plain:
        image[mask == 0] = 0
    return image, mask


def of_character(image: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor | None:
    made = FacetCharacter.execute(image[None], "Ada", "zqx", "person", mask)
    return made.args[0].source.mask


def test_zeros_of_64_by_64_are_no_mask():
    image, _ = person()
    assert of_character(image, torch.zeros(1, 64, 64)) is None
    assert of_character(image, torch.zeros(1, 96, 64)) is None


def test_a_mask_of_another_size_is_still_refused():
    image, _ = person()
    with pytest.raises(ValueError, match="Facet Character: The mask is"):
        of_character(image, torch.ones(1, 64, 64))


@pytest.mark.parametrize("plain", [True, False])
def test_a_mask_of_the_emptiness_is_turned_and_that_is_said(plain):
    image, mask = person(plain=plain)
    made = FacetCharacter.execute(image[None], "Ada", "zqx", "person", (1 - mask)[None])
    assert torch.equal(made.args[0].source.mask, mask)
    assert "it was inverted" in str(made.ui.as_dict())
    right = FacetCharacter.execute(image[None], "Ada", "zqx", "person", mask[None])
    assert torch.equal(right.args[0].source.mask, mask) and right.ui is None


def test_a_cut_out_that_fills_most_of_the_picture_is_known_by_its_emptiness():
    image, _ = person()
    mask = torch.ones(96, 64)
    mask[:, :8] = 0
    image[:, :8] = 1
    assert is_inverted(1 - mask, image) and not is_inverted(mask, image)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_mask_of_a_character_is_turned(data):
    height, width = data.draw(st.integers(48, 120)), data.draw(st.integers(48, 120))
    image = torch.rand(height, width, 3, generator=torch.Generator().manual_seed(2))
    left = data.draw(st.integers(0, width // 3))
    right = data.draw(st.integers(2 * width // 3, width))
    top, bottom = data.draw(st.integers(0, height // 3)), data.draw(st.sampled_from([height, -4]))
    mask = torch.zeros(height, width)
    mask[top:bottom, left:right] = 1
    turned, inverted = subject_mask(mask, image)
    assert not inverted and torch.equal(turned, mask)


def test_a_list_of_images_with_and_without_masks():
    image, mask = person()
    other = image.flip(0)
    character = FacetCharacter.execute(image[None], "Ada", "zqx", "person").args[0]
    made = FacetImagesToShots.execute(
        [character],
        [other[None], image.flip(1)[None]],
        ["zqx person \ud83d", "zqx"],
        [torch.zeros(1, 64, 64), 1 - mask.flip(1)[None]],
    )
    first, second = made.args[0].shots
    assert first.mask is None and torch.equal(second.mask, mask.flip(1))
    assert first.caption == "zqx person " and len(made.args[0].hash) == 64


def test_a_caption_beyond_every_encoder_is_refused_with_its_number():
    image, _ = person()
    character = FacetCharacter.execute(image[None], "Ada", "zqx", "person").args[0]
    with pytest.raises(ValueError, match="Facet Images to Shots: caption 1 has 4000 letters"):
        FacetImagesToShots.execute([character], [image.flip(0)[None]], ["zqx " * 1000])
