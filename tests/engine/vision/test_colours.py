import pytest
import torch

from facet.engine.vision.colours import NAMED, colour_names, colour_word, to_lab


def lab(*values: int) -> tuple[float, float, float]:
    lightness, a, b = to_lab(torch.tensor([[values]], dtype=torch.float32) / 255)[0, 0].tolist()
    return lightness, a, b


@pytest.mark.parametrize(
    ("rgb", "name"),
    [  # CSS Color Module Level 4, section 6.1
        ((220, 20, 60), "red"),  # crimson
        ((255, 140, 0), "orange"),  # darkorange
        ((255, 215, 0), "yellow"),  # gold
        ((34, 139, 34), "green"),  # forestgreen
        ((0, 128, 128), "teal"),
        ((65, 105, 225), "blue"),  # royalblue
        ((106, 90, 205), "purple"),  # slateblue
        ((255, 105, 180), "pink"),  # hotpink
        ((139, 69, 19), "brown"),  # saddlebrown
        ((0, 0, 0), "black"),
        ((169, 169, 169), "grey"),  # darkgray
        ((255, 250, 250), "white"),  # snow
    ],
)
def test_colours_that_were_named_elsewhere_have_their_names(rgb, name):
    assert name in colour_names(lab(*rgb))


def test_a_plain_colour_is_called_by_one_name_and_one_at_a_border_by_both():
    assert colour_names(lab(220, 20, 60)) == ("red",)
    assert {"blue", "purple"} <= set(colour_names(lab(88, 84, 196)))


def test_every_name_is_the_first_for_its_own_prototypes():
    for name, prototypes in NAMED.items():
        assert all(colour_names(lab(*one))[0] == name for one in prototypes)


def test_shade_does_not_change_the_name():
    for rgb in ((205, 40, 45), (65, 155, 80), (55, 100, 205)):
        name = colour_names(lab(*rgb))[0]
        assert name in colour_names(lab(*(round(0.75 * value) for value in rgb)))


@pytest.mark.parametrize(
    ("word", "name"), [("Red", "red"), ("gray", "grey"), ("navy", "blue"), ("big", "")]
)
def test_words_for_colours(word, name):
    assert colour_word(word) == name
