"""Colours are matched, and detail is left alone."""

from __future__ import annotations

import torch

from facet.engine.demo.people import demo_picture
from facet.engine.generate.retouch.retouch import match_colours
from facet.engine.vision.sharpness import relative_sharpness


def test_a_cast_is_taken_off():
    picture = demo_picture(0) * 0.8 + 0.1
    cast = (picture * torch.tensor([1.1, 0.95, 0.85])).clamp(0, 1)
    back = match_colours(cast, cast, picture)
    assert (back - picture).abs().mean() < 0.4 * (cast - picture).abs().mean()


def test_detail_that_was_gained_stays():
    sharp = demo_picture(0)
    soft = sharp.permute(2, 0, 1)[None]
    soft = torch.nn.functional.avg_pool2d(soft, 3, 1, 1, count_include_pad=False)[0]
    matched = match_colours(sharp, sharp, soft.permute(1, 2, 0))
    assert relative_sharpness(matched, sharp) > 0.97


def test_one_plain_colour_becomes_the_other():
    red, blue = torch.tensor([0.7, 0.2, 0.2]), torch.tensor([0.2, 0.3, 0.7])
    made = match_colours(red.expand(40, 40, 3), red.expand(40, 40, 3), blue.expand(9, 7, 3))
    assert torch.allclose(made, blue.expand(40, 40, 3), atol=0.01)
