"""The report as one HTML file that needs nothing else: no network, no script, pictures inside."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path

import torch
from PIL import Image

from ..character import Character, quantise
from .calibrate import Interval
from .charts import DASH, calibration_chart, checkpoint_chart, two_places, yaw_chart
from .condition import Sample
from .evaluate import OFF, Evaluation
from .score import ScoreCard

STYLE = Path(__file__).with_name("report.css")
PICTURE_SIDE = 384
TWINS = 4


def report_page(character: Character, evaluation: Evaluation) -> str:
    """The HTML of the report: the verdict, the pictures side by side, the charts, the settings."""
    card = evaluation.card
    body = "\n".join(
        [
            _header(character, card),
            _numbers(card),
            _pairs(character, evaluation),
            '<div class="charts"><div>',
            _checkpoints(card),
            _section(
                "How likeness was calibrated",
                "Each mark is one picture's cosine with the original. Strangers (LoRA off) give 0, "
                "the dataset's own shots give 1.",
                calibration_chart(card),
            ),
            "</div>",
            _views(card),
            "</div>",
            _twins(character, evaluation),
            _notes(card),
            _settings(card),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(card.character)}: identity report</title>\n"
        f"<style>\n{STYLE.read_text('utf-8')}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def data_uri(image: torch.Tensor) -> str:
    """``image`` (H, W, 3) as a data URI, at most 384 px a side."""
    picture = Image.fromarray(quantise(image).numpy())
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def split_verdict(card: ScoreCard) -> tuple[str, str]:
    """The verdict's first sentence, and the rest of it."""
    first, _, rest = card.verdict.partition(". ")
    return (first if first.endswith(".") else f"{first}."), rest


def _header(character: Character, card: ScoreCard) -> str:
    first, rest = split_verdict(card)
    warning = f'<p class="warning">{escape(rest)}</p>' if rest else ""
    return (
        f'<p class="kicker">Facet identity report · <b>{escape(card.character)}</b> · '
        f"{escape(card.trigger)} {escape(card.class_word)}</p>\n"
        f"<header><div><h1>{escape(first)}</h1>{warning}</div>"
        f'<figure><img alt="The original picture" src="{data_uri(character.source.image)}">'
        "<figcaption>The one original, against which everything is measured</figcaption></figure>"
        "</header>"
    )


def _checkpoints(card: ScoreCard) -> str:
    if card.best.identity.value is None:
        return ""
    return _section(
        "Checkpoints",
        "Likeness to the original, calibrated. The bar is the 95 % interval; the one that was "
        "chosen is measured on every prompt, the others on the first few.",
        checkpoint_chart(card),
    )


def _numbers(card: ScoreCard) -> str:
    words = card.words.identity.value if card.words else None
    beside = f"Above one half in {card.best.alike}. LoRA off 0.00, the dataset's own shots 1.00"
    if words is not None:
        beside += f", described in words {words:.2f}"
    if card.best.identity.value is None:
        on, off = two_places(card.best.cosine), two_places(card.off.cosine)
        beside = f"Plain cosine with the original: {on}, LoRA off {off}"
    cells = (
        _number("Identity", card.best.identity, False, f"{beside}."),
        _number("Right view", card.best.views, True, "show the view asked for."),
        _number("Copies", card.best.copies, True, "repeat a training picture."),
    )
    return f'<dl class="numbers">{"".join(cells)}</dl>'


def _number(name: str, interval: Interval, percent: bool, text: str) -> str:
    if interval.value is None:
        text = f"Pictures that {text}" if percent else text
        return (
            f'<div class="number"><dt>{name}</dt><dd class="big none">not measured</dd>'
            f"<p>{escape(text)}</p></div>"
        )

    def shown(value: float | None) -> str:
        return DASH if value is None else f"{value:.0%}" if percent else f"{value:.2f}"

    low, high = shown(interval.low), shown(interval.high)
    if percent:
        text = f"{round(interval.value * interval.count)} of {interval.count} pictures {text}"
    return (
        f'<div class="number"><dt>{name}</dt><dd class="big">{shown(interval.value)}</dd>'
        f"<p>{low} to {high} (95 %). {escape(text)}</p></div>"
    )


def _pairs(character: Character, evaluation: Evaluation) -> str:
    card = evaluation.card
    figures = []
    rows = zip(
        card.off.samples,
        card.best.samples,
        evaluation.pictures[OFF],
        evaluation.pictures[card.best.label],
        strict=True,
    )
    for off, best, off_image, best_image in rows:
        words = ", ".join(best.prompt.tags.phrases())
        flag = (
            ' <span class="flag">Repeats a training picture.</span>' if best.nearest.copied else ""
        )
        figures.append(
            f'<figure class="pair"><div class="two">{_chipped(off, off_image, "off")}'
            f"{_chipped(best, best_image, 'on')}</div>"
            f"<figcaption>{escape(words)}.{flag}</figcaption></figure>"
        )
    likeness = "likeness to the original"
    if card.best.identity.value is None:
        likeness = "plain cosine with the original, which cannot be read as likeness here"
    return _section(
        "LoRA off and on",
        "The same prompt and the same seed, with clothes and places that the dataset does not "
        f"name. The number is the {likeness}.",
        f'<div class="beside"><figure class="original"><img alt="The original picture" '
        f'src="{data_uri(character.source.image)}"><figcaption>The original</figcaption></figure>'
        f'<div class="pairs">{"".join(figures)}</div></div>',
    )


def _chipped(sample: Sample, image: torch.Tensor, kind: str) -> str:
    value = sample.similarity if sample.score is None else sample.score
    return (
        f'<div><img alt="LoRA {kind}" loading="lazy" src="{data_uri(image)}">'
        f'<span class="chip {kind}">{kind} {two_places(value)}</span></div>'
    )


def _views(card: ScoreCard) -> str:
    samples = [sample for sample in card.best.samples if sample.right_view is not None]
    if card.best.views.value is None or not samples:
        return ""
    return _section(
        "Views",
        "Which way the face looks: the bar is what was asked, the dot what was measured. Negative "
        "is towards the picture's left; a square is the wrong view.",
        yaw_chart(samples),
    )


def _twins(character: Character, evaluation: Evaluation) -> str:
    card = evaluation.card
    by_hash = {shot.hash: shot.image for shot in character.pictures}
    pairs = list(zip(card.best.samples, evaluation.pictures[card.best.label], strict=True))
    pairs.sort(key=lambda pair: (pair[0].nearest.copied, pair[0].nearest.ssim), reverse=True)
    figures = []
    for sample, image in pairs[:TWINS]:
        nearest = sample.nearest
        verdict = '<span class="flag">A copy.</span>' if nearest.copied else "Not a copy."
        figures.append(
            '<figure class="pair"><div class="two">'
            f'<div><img alt="Made" src="{data_uri(image)}"><span class="chip own">made</span></div>'
            f'<div><img alt="Nearest training picture" src="{data_uri(by_hash[nearest.shot])}">'
            '<span class="chip own">trained on</span></div></div>'
            f"<figcaption>SSIM {nearest.ssim:.2f}, PSNR {nearest.psnr:.1f} dB. {verdict}"
            "</figcaption></figure>"
        )
    usual = ""
    if card.usual_cosine is not None:
        cosines = sorted(sample.nearest.cosine for sample in card.best.samples)
        middle = cosines[len(cosines) // 2]
        usual = (
            f" By the encoder, the nearest training picture is at {middle:.2f}, and training "
            f"pictures are at {card.usual_cosine:.2f} among themselves."
        )
    return _section(
        "Nearest training pictures",
        "The pictures made with the LoRA that come closest to something it was trained on." + usual,
        f'<div class="twin">{"".join(figures)}</div>',
    )


def _notes(card: ScoreCard) -> str:
    if not card.notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in card.notes)
    return f'<section><h2>Notes</h2><ul class="notes">{items}</ul></section>'


def _settings(card: ScoreCard) -> str:
    values = {name.replace("_", " "): value for name, value in card.settings.items()}
    values["dataset"] = card.character_hash[:16]
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in values.items()
        if value not in (None, "")
    )
    return f'<section><h2>Settings</h2><p></p><dl class="settings">{items}</dl></section>'


def _section(title: str, text: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{content}</section>"
