"""The images of a report: side by side on fixed seeds, the probes, and what speaks against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch
from PIL import Image

from ...core.character import quantise
from ...core.vocabulary import VOCABULARY
from ...drawing.data_url import jpeg_url
from ...vision.copies import Nearest
from ..adherence import asked_backdrop, asked_clothes
from ..metrics import ATTRIBUTES, LEAKS, UNDRESSED
from ..protocol import ATTRIBUTE, LEAK, SCENE, TRIGGER
from ..sample import CLOSE, SPOILED, ScoredSample
from ..text import MINUS, TIMES, degrees, percent, score_of, two_places, words_of
from ..variant import Variant
from .material import BASELINE, Material, ScoredImage, short_name

LARGE, SMALL, QUALITY = 384, 224, 84
MANY = 60
MOST_PROMPTS, MOST_PROBES, FEW_COLUMNS = 24, 16, 4
NEAREST, WORST = 4, 5


@dataclass(frozen=True)
class Tile:
    """An image of a page: a JPEG data URI and its size, what it shows, and a chip in its corner.

    says: for those who cannot see it. kind: the chip's class in report.css: off, on, words or own.
    """

    source: str
    width: int
    height: int
    says: str
    chip: str
    kind: str


def tile(image: torch.Tensor, says: str, chip: str, kind: str, side: int = LARGE) -> Tile:
    """``image`` (H, W, 3), at most ``side`` px a side."""
    picture = Image.fromarray(quantise(image).numpy())
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return Tile(jpeg_url(picture, QUALITY), picture.width, picture.height, says, chip, kind)


@dataclass(frozen=True)
class TilePair:
    """Two images that are compared, with what to read below: a flag, and words."""

    tiles: tuple[Tile, Tile]
    words: str
    flag: str = ""
    flag_first: bool = False


@dataclass(frozen=True)
class PairsView:
    """A section of pairs. swatch: a colour of CSS and what it is, where there is one."""

    title: str
    text: str
    pairs: Sequence[TilePair]
    swatch: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class SheetView:
    """The sheet of fixed seeds: columns by name and strength, in one table or in two.

    chosen: the number of the chosen column. tables: rows, each the words of a prompt and a tile for
    each column, None where none was made.
    """

    title: str
    text: str
    columns: Sequence[tuple[str, str]]
    chosen: int
    tables: Sequence[Sequence[tuple[str, Sequence[Tile | None]]]]


def sheet(of: Material) -> PairsView | SheetView | None:
    """Rows are prompts, columns are the baseline and what was tried, all on the same seeds."""
    every = [prompt for prompt in of.off if prompt.kind == SCENE]
    prompts = every[:MOST_PROMPTS]
    if not prompts:
        return None
    scale = f"{of.noun.lower()} with the original"
    if not of.judged:
        scale = "plain cosine with the original, which cannot be read as similarity here"
    title = "Fixed seeds"
    text = (
        f"The same scene and the same seed in each row, {BASELINE} first; clothes and places are "
        "those that the dataset does not name, unless the prompts are your own. The number is the "
        f"{scale}."
    )
    if len(every) > MOST_PROMPTS:
        text += f" The first {MOST_PROMPTS} of {len(every)} prompts."
    columns = [(one, of.made(one)) for one in of.columns]
    if len(columns) == 2:
        side = LARGE if len(prompts) <= MANY // 4 else SMALL
        made = [prompt for prompt in prompts if prompt in of.best]
        return PairsView(title, text, [_pair(of.off[one], of.best[one], side) for one in made])
    side = SMALL if sum(len(made) for _, made in columns) > MANY else LARGE
    rows = [
        (
            f"{number} · {words_of(of.off[prompt].sample)} · seed {prompt.seed}",
            [_cell(of, one, made.get(prompt), side, number) for one, made in columns],
        )
        for number, prompt in enumerate(prompts, start=1)
    ]
    # Where it has few columns, in two halves side by side.
    half = -(-len(rows) // 2) if len(columns) <= FEW_COLUMNS else len(rows)
    names = [short_name(one).partition(f" {TIMES} ") for one, _ in columns]
    return SheetView(
        title,
        text,
        [(name, strength) for name, _, strength in names],
        next(number for number, (one, _) in enumerate(columns) if one is of.card.best),
        [rows[start : start + half] for start in range(0, len(rows), half)],
    )


def trigger_alone(of: Material) -> list[tuple[str, list[Tile]]]:
    """What the LoRA draws when nothing but its trigger is said: a named row without it and with."""
    few = list(of.pairs(TRIGGER))[:MOST_PROBES]
    names = ((BASELINE, "off"), (short_name(of.card.best), "on"))
    return [
        (
            name,
            [
                tile(
                    one.image,
                    f"{name}, seed {one.sample.prompt.seed}",
                    score_of(one.sample),
                    kind,
                    SMALL,
                )
                for one in made
            ],
        )
        for (name, kind), made in zip(names, zip(*few))
    ]


def attributes(of: Material) -> PairsView | None:
    """Whether the character stays itself with something on that the dataset does not know."""
    text = "Close-ups with something on that no caption names: it should appear, on the same face."
    value = of.card.best[ATTRIBUTES]
    if value.value is not None:
        text += f" {of.noun} with the original {value.text}."
    return _probes(of, ATTRIBUTE, of.label(ATTRIBUTES), text)


def leaks(of: Material) -> PairsView | None:
    """Whether a garment of the dataset shows where no clothes were named."""
    garment, found = of.card.garment, of.card.best[LEAKS]
    title, text = "Clothes not in the prompt", "These prompts name no clothes, nor do those above."
    if garment is None:
        return _probes(
            of, LEAK, title, f"{text} No one garment fills the dataset: there is none to look for."
        )
    lightness, a, b = garment.colour
    name = garment.name or "the garment"
    text += (
        f" {percent(garment.share)} of the dataset's images with a face wear {name}, and it shows "
        f"in {percent(found.value)} of all {found.count} in which clothes are seen; "
        f"{BASELINE} in {percent(of.card.off[LEAKS].value)}."
    )
    swatch = (f"lab({lightness:.1f}% {a:.1f} {b:.1f})", f"{name}, by its colour")
    return _probes(of, LEAK, title, text, swatch)


def nearest(of: Material) -> PairsView | None:
    """The samples that come closest to an image of the dataset, each beside it."""
    card = of.card
    by_hash = {shot.hash: shot for shot in of.character.pictures}
    made = sorted(
        (one for one in of.best.values() if one.sample.nearest.shot in by_hash),
        key=lambda one: (one.sample.nearest.copied, one.sample.nearest.ssim),
        reverse=True,
    )
    if not made:
        return None
    pairs = []
    for one in made[:NEAREST]:
        near = one.sample.nearest
        shot = card.shots.get(near.shot, "a training image")
        theirs = tile(by_hash[near.shot].image, f"Trained on: {shot}", "trained on", "own")
        own = tile(one.image, f"Made: {words_of(one.sample)}", "made", "own")
        said = f"{_measured(near)} Trained on: {shot}."
        flag = "A copy." if near.copied else ""
        pairs.append(TilePair((own, theirs), said if flag else f"Not a copy. {said}", flag, True))
    text = "The images made with the LoRA that come closest to something it was trained on."
    if card.usual_cosine is not None:
        middle = median(one.sample.nearest.cosine for one in made)
        text += (
            f" By the encoder, the nearest training image is at {two_places(middle)}, and "
            f"training images are at {two_places(card.usual_cosine)} among themselves."
        )
    return PairsView("Nearest training images", text, pairs)


def worst(of: Material) -> list[tuple[Tile, list[str]]]:
    """The five with the most faults, and of those the least alike, with what is wrong with each."""
    return [
        (
            tile(one.image, words_of(one.sample), f"on {score_of(one.sample)}", "on"),
            why or ["No fault; less alike than the rest."],
        )
        for why, one in by_faults(of)[:WORST]
    ]


def by_faults(of: Material) -> list[tuple[list[str], ScoredImage]]:
    """The images of what was chosen with what is wrong with each, the worst first."""
    off = {prompt: one.sample for prompt, one in of.off.items()}
    judged = [(faults(one.sample, off.get(prompt)), one) for prompt, one in of.best.items()]
    return sorted(judged, key=lambda pair: (-len(pair[0]), pair[1].sample.similarity))


def faults(sample: ScoredSample, off: ScoredSample | None) -> list[str]:
    """What is wrong with a sample, each in one sentence; ``off``: the same without LoRA."""
    found = []
    if sample.face is False:
        found.append("No face is found.")
    elif sample.score is not None and sample.score < CLOSE:
        found.append(f"Nearer to a stranger: {two_places(sample.score)}.")
    if sample.nearest.copied:
        found.append("Repeats a training image.")
    elif sample.pose_copied:
        found.append("Repeats the person of a training image, pose and clothes.")
    asked = sample.prompt.tags.yaw
    if sample.right_view is False and sample.yaw is not None and asked is not None:
        found.append(f"Looks {degrees(sample.yaw)}, asked for {degrees(asked)}.")
    found += _disobeyed(sample)
    if sample.prompt.kind in UNDRESSED and sample.wears_own:
        found.append("Wears the dataset's garment, which the prompt does not name.")
    if off is not None:
        found += _spoiled(sample, off)
    return found


def _disobeyed(sample: ScoredSample) -> list[str]:
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


def _spoiled(sample: ScoredSample, off: ScoredSample) -> list[str]:
    """How it is blurred, noisy, burnt or faded beside the same without LoRA."""
    said = []
    for value, without, less, more, what in (
        (sample.sharpness, off.sharpness, "Blurred", "Noisy", "sharpness"),
        (sample.chroma, off.chroma, "Faded", "Burnt", "colour"),
    ):
        if without > 0 and not 1 / SPOILED <= value / without <= SPOILED:
            word = less if value < without else more
            said.append(f"{word}: {value / without:.1f} {TIMES} the {what} {BASELINE}.")
    return said


def _measured(near: Nearest) -> str:
    said = [f"SSIM {near.ssim:.2f}", f"PSNR {near.psnr:.1f} dB at 32 px"]
    if near.face is not None:
        said.append(f"face SSIM {near.face:.2f}")
    if near.figure is not None:
        said.append(f"person SSIM {near.figure.ssim:.2f}")
    if near.excess is not None:
        sign = MINUS if near.excess < 0 else "+"
        said.append(f"cosine {sign}{abs(near.excess):.2f} against training images' own")
    return f"{', '.join(said)}."


def _probes(
    of: Material, kind: str, title: str, text: str, swatch: tuple[str, str] = ("", "")
) -> PairsView | None:
    pairs = list(of.pairs(kind))
    if not pairs:
        return None
    shown = [_pair(off, on) for off, on in pairs[:MOST_PROBES]]
    return PairsView(title, text + _shortened(pairs), shown, swatch)


def _pair(off: ScoredImage, on: ScoredImage, side: int = LARGE) -> TilePair:
    words = words_of(on.sample)
    worn = on.sample.wears_own and on.sample.prompt.kind in UNDRESSED
    flags = ["It wears the dataset's garment."] if worn else []
    if on.sample.nearest.copied:
        flags.append("Repeats a training image.")
    return TilePair(
        (
            tile(off.image, f"{BASELINE}: {words}", f"off {score_of(off.sample)}", "off", side),
            tile(on.image, f"with LoRA: {words}", f"on {score_of(on.sample)}", "on", side),
        ),
        f"{words}.",
        " ".join(flags),
    )


def _cell(
    of: Material, one: Variant, made: ScoredImage | None, side: int, number: int
) -> Tile | None:
    if made is None:
        return None
    kind = "off" if one is of.card.off else "words" if one is of.card.words else "on"
    says = f"{short_name(one)}, prompt {number}"
    return tile(made.image, says, score_of(made.sample), kind, side)


def _shortened(pairs: Sequence[object]) -> str:
    """Says that not all of ``pairs`` are shown, where it is so."""
    return f" The first {MOST_PROBES} of {len(pairs)}." if len(pairs) > MOST_PROBES else ""
