"""Text is cut and wrapped by the pixels it takes, and a picture keeps its shape."""

from __future__ import annotations

import pytest
import torch
from PIL import Image, ImageFont

from facet.engine.drawing.canvas import Page, fitted, shortened, size_that_fits, wrapped

LONG = "a photo of a woman standing in the rain with a very large umbrella and other things"


def width(text: str, size: int) -> float:
    return ImageFont.load_default(size).getlength(text)


@pytest.mark.parametrize("room", [60, 120, 400])
def test_wrapped_text_keeps_its_words_and_stays_in_its_width(room: int) -> None:
    lines = wrapped(LONG, 16, room)
    assert "".join(lines).replace(" ", "") == LONG.replace(" ", "")
    assert all(width(line, 16) <= room for line in lines)


def test_a_word_that_is_too_long_is_broken() -> None:
    lines = wrapped("x" * 100, 16, 120)
    assert "".join(lines) == "x" * 100
    assert len(lines) > 1 and all(width(line, 16) <= 120 for line in lines)


def test_a_line_may_end_after_a_hyphen() -> None:
    assert wrapped("mira_v2-000100.safetensors", 18, 200) == ["mira_v2-", "000100.safetensors"]


def test_what_exceeds_the_lines_ends_with_dots() -> None:
    lines = wrapped(LONG, 16, 200, most=2)
    assert len(lines) == 2 and lines[1].endswith("...") and width(lines[1], 16) <= 200
    assert shortened("short", 16, 200) == "short"
    assert width(shortened(LONG, 16, 200), 16) <= 200


def test_letters_shrink_until_the_text_fits() -> None:
    assert size_that_fits("short", 20, 300) == 20
    smaller = size_that_fits(LONG, 20, 500)
    assert 8 < smaller < 20 and width(LONG, smaller) <= 500


@pytest.mark.parametrize("size", [(40, 20), (20, 40), (1, 400)])
def test_a_picture_is_as_large_as_fits(size: tuple[int, int]) -> None:
    found = fitted(Image.new("RGB", size), (100, 100))
    assert max(found.size) == 100 and min(found.size) == max(1, round(100 * min(size) / max(size)))
    assert fitted(Image.new("RGB", size), (100, 100), cover=True).size == (100, 100)


def test_a_picture_stands_in_the_middle_of_its_box() -> None:
    page = Page(60, 60)
    page.picture(torch.zeros(10, 20, 3), (10, 10), (40, 40))
    dark = (page.tensor().sum(-1) < 0.1).nonzero()
    assert dark.min(0).values.tolist() == [20, 10] and dark.max(0).values.tolist() == [39, 49]


def test_an_accent_that_the_font_lacks_is_left_out() -> None:
    drawn, plain = Page(80, 30), Page(80, 30)
    drawn.text((2, 2), "Böll 漢", 20)
    plain.text((2, 2), "Boll ", 20)
    assert torch.equal(drawn.tensor(), plain.tensor())
