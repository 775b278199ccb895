"""The small things that a report's page is built of: sections, pictures, numbers in words."""

from __future__ import annotations

from html import escape

import torch
from PIL import Image

from ...core.character import quantise
from ...drawing.data_url import jpeg_url
from ..calibrate import Interval
from ..condition import Sample

MINUS, DASH, TIMES = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
LARGE = 384
QUALITY = 84


def data_uri(image: torch.Tensor, side: int = LARGE) -> str:
    """``image`` (H, W, 3) as a JPEG data URI, at most ``side`` px a side."""
    picture = Image.fromarray(quantise(image).numpy())
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return jpeg_url(picture, QUALITY)


def picture(image: torch.Tensor, says: str, side: int = LARGE) -> str:
    """An <img> of ``image`` (H, W, 3); ``says`` is what it shows, for those who cannot see it."""
    return f'<img alt="{escape(says)}" loading="lazy" src="{data_uri(image, side)}">'


def tile(image: torch.Tensor, says: str, chip: str, kind: str, side: int = LARGE) -> str:
    """``image`` with a chip in its corner; ``kind`` is the chip's class: off, on, words or own."""
    label = f'<span class="chip {kind}">{escape(chip)}</span>' if chip else ""
    return f'<div class="tile">{picture(image, says, side)}{label}</div>'


def section(title: str, text: str, content: str, kind: str = "") -> str:
    """A part of the page; nothing when there is no content."""
    if not content:
        return ""
    name = f' class="{kind}"' if kind else ""
    intro = f"<p>{escape(text)}</p>" if text else ""
    return f"<section{name}><h2>{escape(title)}</h2>{intro}{content}</section>"


def two_places(value: float | None) -> str:
    """``value`` as in '0.82'; a dash for None."""
    # Adding 0 makes a rounded -0 a plain 0.
    return DASH if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", MINUS)


def percent(value: float | None) -> str:
    """``value`` as in '82 %'; a dash for None."""
    return DASH if value is None else f"{100 * value:.0f} %"


def degrees(value: float) -> str:
    """``value`` as in '-45°', with a minus sign."""
    return f"{round(value)}°".replace("-", MINUS)


def spread(interval: Interval, share: bool) -> str:
    """The 95 % interval, as in '0.71 to 0.90'; a dash when there is none."""
    if interval.low is None or interval.high is None:
        return DASH
    said = percent if share else two_places
    return f"{said(interval.low)} to {said(interval.high)}"


def likeness(sample: Sample) -> str:
    """The calibrated likeness of a picture, or its cosine where there is no scale."""
    return two_places(sample.similarity if sample.score is None else sample.score)


def words_of(sample: Sample) -> str:
    """What the prompt asks for, without who."""
    return sample.prompt.words or ", ".join(sample.prompt.tags.phrases()) or "the trigger alone"
