"""What came of it in words, and every try on one sheet with the kept one marked."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageFont

from ...core.character import quantise
from ...drawing.canvas import CARD, INK, LINE, QUIET, SCALE, Page
from .make import CharacterAttempt, PromptResult

KEPT, FAILED = "#0b62ad", "#b5520a"
TILE, GAP, MARGIN, FOOT, HEAD = 256, 24, 32, 88, 40
ROWS = 40


def score_text(one: CharacterAttempt) -> str:
    """As in 'score 0.84', 'cosine 0.71' or 'not measured'."""
    verdict = one.verdict
    if verdict.score is not None:
        return f"score {verdict.score:.2f}"
    return "not measured" if verdict.cosine is None else f"cosine {verdict.cosine:.2f}"


def report(pictures: Sequence[PromptResult], who: str, notes: Sequence[str]) -> str:
    """All that was made, line by line: scores, tries, why, and what contradicts the character."""
    good = sum(one.kept.verdict.passed for one in pictures)
    found = sum(one.found for picture in pictures for one in picture.tries)
    total = sum(len(picture.tries) for picture in pictures)
    lines = [
        f"{who}: {good} of {len(pictures)} pictures pass, {total} attempts"
        + (f", {found} of them from disk." if found else ".")
    ]
    warned = set()
    for picture in pictures:
        for conflict in picture.conflicts:
            if (picture.prompt, conflict) not in warned:
                warned.add((picture.prompt, conflict))
                lines.append(f"Warning: '{picture.prompt}' {conflict.text}.")
    for number, picture in enumerate(pictures, 1):
        kept = picture.kept
        mark = "passes" if kept.verdict.passed else f"kept although {kept.verdict.note}"
        lines.append(
            f"{number}. {score_text(kept)}, attempt {picture.best + 1} of {len(picture.tries)}, "
            f"LoRA at {kept.attempt.lora_strength:g}, seed {kept.attempt.seed}: {mark}."
        )
        lines.append(f"   {kept.attempt.prompt}")
        for attempt, one in enumerate(picture.tries, 1):
            if attempt > 1:
                lines.append(f"   attempt {attempt}: {one.attempt.reason}")
            if one is not kept or not one.verdict.passed:
                told = one.verdict.note or "nothing wrong"
                lines.append(f"   attempt {attempt} had {score_text(one)}: {told}")
    return "\n".join([*lines, *notes])


def sheet(pictures: Sequence[PromptResult]) -> torch.Tensor:
    """Every try, one row a picture, the kept one framed: (H, W, 3) float32 in 0..1.

    Of more than 40 pictures the first 40 are drawn, and the rest counted.
    """
    left_out, pictures = len(pictures) - ROWS, pictures[:ROWS]
    columns = max(len(picture.tries) for picture in pictures)
    ratio = max(one.kept.image.shape[0] / one.kept.image.shape[1] for one in pictures)
    tall = round(TILE * min(ratio, 2.0))
    row = HEAD + tall + FOOT
    width = 2 * MARGIN + columns * TILE + (columns - 1) * GAP
    page = Page(width, 2 * MARGIN + len(pictures) * row + (HEAD if left_out > 0 else 0))
    if left_out > 0:
        page.text((MARGIN, MARGIN + len(pictures) * row), f"and {left_out} more", 17, QUIET)
    for number, picture in enumerate(pictures):
        top = MARGIN + number * row
        page.text((MARGIN, top), _short(picture.prompt, 17, width - 2 * MARGIN), 17, bold=True)
        for place, one in enumerate(picture.tries):
            _tile(page, one, place == picture.best, MARGIN + place * (TILE + GAP), top + HEAD, tall)
    return torch.from_numpy(np.array(page.finished())).to(torch.float32) / 255


def _tile(
    page: Page, one: CharacterAttempt, kept: bool, left: float, top: float, tall: int
) -> None:
    colour = KEPT if one.verdict.passed else FAILED
    if kept:
        page.box(left - 6, top - 6, left + TILE + 6, top + tall + FOOT - 24, colour, 10)
        page.box(left - 2, top - 2, left + TILE + 2, top + tall + FOOT - 28, CARD, 6)
    page.box(left, top, left + TILE, top + tall, LINE)
    picture = Image.fromarray(quantise(one.image).numpy())
    scale = SCALE * min(TILE / picture.width, tall / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    x = round(left * SCALE + (TILE * SCALE - size[0]) / 2)
    page.image.paste(picture, (x, round(top * SCALE + (tall * SCALE - size[1]) / 2)))
    said = f"{'kept · ' if kept else ''}{score_text(one)} · LoRA {one.attempt.lora_strength:g}"
    page.text((left + 6, top + tall + 8), said, 15, colour if kept else INK, bold=kept)
    why = one.verdict.note or ("nothing is wrong" if one.verdict.passed else "")
    for line, text in enumerate(_wrapped(why, 13, TILE - 12)[:2]):
        page.text((left + 6, top + tall + 28 + line * 16), text, 13, QUIET)


def _short(text: str, size: int, width: float) -> str:
    lines = _wrapped(text, size, width)
    return lines[0] + (" ..." if len(lines) > 1 else "") if lines else ""


def _wrapped(text: str, size: int, width: float) -> list[str]:
    font = ImageFont.load_default(size)
    fit = max(8, int(width / (font.getlength("abcdefghij klmnopqrst") / 21) * 0.94))
    return textwrap.wrap(text, fit)
