import pytest
import torch

from facet.engine.vision.embedding import embed, pad_to_square
from harness.small_models import SMALL_VISION, small_clip_vision, small_vision


@pytest.fixture(scope="module")
def clip_vision():
    return small_clip_vision()


def test_padding_keeps_every_pixel_and_adds_the_border_colour():
    image = torch.full((20, 8, 3), 0.25)
    image[5:15, 2:6] = torch.rand(10, 4, 3)
    square = pad_to_square(image)
    assert square.shape == (20, 20, 3)
    assert torch.equal(square[:, 6:14], image)
    assert torch.allclose(square[:, :6], torch.full((20, 6, 3), 0.25))


def test_the_top_of_a_tall_picture_counts(clip_vision):
    plain = torch.full((120, 40, 3), 0.5)
    with_head = plain.clone()
    with_head[4:20, 10:30] = 0.0
    first, second = embed(clip_vision, [plain, with_head])
    assert (first - second).abs().max() > 1e-3  # a centre crop would see two equal pictures


def test_embeddings_have_length_one_and_keep_the_order_of_mixed_sizes(clip_vision):
    torch.manual_seed(1)
    pictures = [
        torch.rand(64, 64, 3),
        torch.rand(8, 8, 3),
        torch.rand(64, 64, 3),
        torch.rand(300, 90, 3),
    ]
    together = embed(clip_vision, pictures)
    assert torch.allclose(together.norm(dim=1), torch.ones(4), atol=1e-5)
    for row, picture in zip(together, pictures, strict=True):
        assert torch.allclose(row, embed(clip_vision, picture[None])[0], atol=1e-4)


def test_an_encoder_that_gives_nothing_is_named():
    dead = small_clip_vision()
    for weight in dead.model.parameters():
        torch.nn.init.zeros_(weight)
    with pytest.raises(ValueError, match="CLIP_VISION"):
        embed(dead, torch.rand(1, 64, 64, 3))


@pytest.mark.parametrize("kind", SMALL_VISION)
@torch.inference_mode()
def test_each_class_of_clip_vision_gives_the_vector_that_stands_for_the_picture(kind):
    encoder = small_vision(kind)
    pictures = torch.rand(3, 64, 64, 3, generator=torch.Generator().manual_seed(0))
    last, _, pooled, _ = encoder.model(
        pixel_values=pictures.movedim(-1, 1).mul(255).round().div(255) * 2 - 1,
        intermediate_output=-2,
    )
    expected = {
        "clip_vision_model": pooled,
        "siglip_vision_model": last.mean(dim=1),
        "siglip2_vision_model": last.mean(dim=1),
        "dinov2": last[:, 0],
        "dinov3": last[:, 0],
    }[kind]
    found = embed(encoder, pictures)
    assert found.shape == (3, 24 if kind == "clip_vision_model" else 32)
    assert torch.allclose(found, torch.nn.functional.normalize(expected, dim=1), atol=1e-5)
