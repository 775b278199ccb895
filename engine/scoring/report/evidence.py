"""What speaks against a LoRA: the training pictures nearest to its own, and its worst five."""

from __future__ import annotations

from html import escape
from statistics import median

from ...core.character import VOCABULARY
from ..adherence import asked_backdrop, asked_clothes
from ..condition import CLOSE, SPOILED, UNDRESSED, Sample
from ..copies import Nearest
from .material import Made, Material
from .parts import MINUS, TIMES, degrees, likeness, section, tile, two_places, words_of

NEAREST, WORST = 4, 5


def nearest(of: Material) -> str:
    """The pictures that come closest to one of the dataset, each beside it."""
    card = of.card
    by_hash = {shot.hash: shot.image for shot in of.character.pictures}
    made = sorted(
        (one for one in of.best.values() if one.sample.nearest.shot in by_hash),
        key=lambda one: (one.sample.nearest.copied, one.sample.nearest.ssim),
        reverse=True,
    )
    figures = []
    for one in made[:NEAREST]:
        near = one.sample.nearest
        shot = card.shots.get(near.shot, "a training picture")
        verdict = '<span class="flag">A copy.</span>' if near.copied else "Not a copy."
        theirs = tile(by_hash[near.shot], f"Trained on: {shot}", "trained on", "own")
        figures.append(
            f'<figure class="pair"><div class="two">'
            f"{tile(one.image, f'Made: {words_of(one.sample)}', 'made', 'own')}{theirs}</div>"
            f"<figcaption>{verdict} {escape(_measured(near))} Trained on: {escape(shot)}."
            "</figcaption></figure>"
        )
    text = "The pictures made with the LoRA that come closest to something it was trained on."
    if card.usual_cosine is not None and made:
        middle = median(one.sample.nearest.cosine for one in made)
        text += (
            f" By the encoder, the nearest training picture is at {two_places(middle)}, and "
            f"training pictures are at {two_places(card.usual_cosine)} among themselves."
        )
    content = f'<div class="pairs">{"".join(figures)}</div>' if figures else ""
    return section("Nearest training pictures", text, content)


def _measured(near: Nearest) -> str:
    said = [f"SSIM {near.ssim:.2f}", f"PSNR {near.psnr:.1f} dB at 32 px"]
    if near.face is not None:
        said.append(f"face SSIM {near.face:.2f}")
    if near.figure is not None:
        said.append(f"figure SSIM {near.figure.ssim:.2f}")
    if near.excess is not None:
        sign = MINUS if near.excess < 0 else "+"
        said.append(f"cosine {sign}{abs(near.excess):.2f} against training pictures' own")
    return f"{', '.join(said)}."


def worst(of: Material) -> str:
    """The five with the most faults, and of those the least alike."""
    judged = [(faults(one.sample, _off(of, one)), one) for one in of.best.values()]
    judged.sort(key=lambda pair: (-len(pair[0]), pair[1].sample.similarity))
    figures = []
    for why, one in judged[:WORST]:
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in why)
        reasons = reasons or "<li>No fault; less alike than the rest.</li>"
        chip = f"on {likeness(one.sample)}"
        figures.append(
            f"<figure>{tile(one.image, words_of(one.sample), chip, 'on')}"
            f'<ul class="why">{reasons}</ul>'
            f"<figcaption>{escape(words_of(one.sample))}</figcaption></figure>"
        )
    return section(
        "The worst five",
        "Of the chosen LoRA's pictures: those with the most faults first, and of equals the least "
        "alike. Look at these before you trust the figures.",
        f'<div class="five">{"".join(figures)}</div>' if figures else "",
    )


def faults(sample: Sample, off: Sample | None) -> list[str]:
    """What is wrong with a picture, each in one sentence; ``off``: the same without the LoRA."""
    found = []
    if sample.face is False:
        found.append("No face is found.")
    elif sample.score is not None and sample.score < CLOSE:
        found.append(f"Nearer to a stranger: {two_places(sample.score)}.")
    if sample.nearest.copied:
        found.append("Repeats a training picture.")
    elif sample.nearest.figure is not None and sample.nearest.figure.copied:
        found.append("Repeats the figure of a training picture.")
    asked = sample.prompt.tags.yaw
    if sample.right_view is False and sample.yaw is not None and asked is not None:
        found.append(f"Looks {degrees(sample.yaw)}, asked for {degrees(asked)}.")
    found += _disobeyed(sample)
    if sample.prompt.kind in UNDRESSED and sample.wears_own:
        found.append("Wears the dataset's garment unasked.")
    if off is not None:
        found += _spoiled(sample, off)
    return found


def _disobeyed(sample: Sample) -> list[str]:
    """What it shows other than it was asked for, apart from the view."""
    tags, seen = sample.prompt.tags, sample.shown
    said = []
    for axis, right, shown in (
        ("framing", sample.right_framing, seen.framing),
        ("expression", sample.right_expression, seen.expression),
    ):
        if right is False:
            words = VOCABULARY[axis]
            asked = getattr(tags, axis)
            said.append(f"Shows {words[shown]}, asked for {words.get(asked, asked)}.")
    for what, asked, names in (
        ("clothes", asked_clothes(sample.text), seen.clothes),
        ("background", asked_backdrop(sample.text), seen.backdrop),
    ):
        if asked and names is not None and asked not in names:
            colour = names[0] if names else "no plain"
            said.append(f"Has {colour} {what}, asked for {asked}.")
    return said


def _spoiled(sample: Sample, off: Sample) -> list[str]:
    """How it is blurred, noisy, burnt or faded beside the same without the LoRA."""
    said = []
    for value, without, less, more, what in (
        (sample.sharpness, off.sharpness, "Blurred", "Noisy", "sharpness"),
        (sample.chroma, off.chroma, "Faded", "Burnt", "colour"),
    ):
        if without > 0 and not 1 / SPOILED <= value / without <= SPOILED:
            word = less if value < without else more
            said.append(f"{word}: {value / without:.1f} {TIMES} the {what} without the LoRA.")
    return said


def _off(of: Material, one: Made) -> Sample | None:
    without = of.off.get(one.sample.prompt)
    return None if without is None else without.sample
