"""The head of the report: who, the verdict, three pictures of it, what could not be measured."""

from __future__ import annotations

import re
from html import escape

from .material import Material, short_name
from .parts import likeness, tile, words_of

FILES = ("score.json", "score.csv", "report.png")
SENTENCE = re.compile(r"(?<=\.) (?=[A-Z0-9])")


def sentences(verdict: str) -> list[str]:
    """The verdict's sentences."""
    return SENTENCE.split(verdict.strip())


def summary(of: Material) -> str:
    """The verdict with what it says to do, and the original beside LoRA off and on."""
    card = of.card
    first, *rest = sentences(card.verdict)
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in rest)
    notes = "".join(f"<li>{escape(note)}</li>" for note in card.notes)
    links = " · ".join(f'<a href="{name}">{name}</a>' for name in FILES)
    return (
        '<div class="kicker"><p>Facet identity report · '
        f"<b>{escape(card.character)}</b> · {escape(card.trigger)} {escape(card.class_word)}</p>"
        f'<p class="links">{links}</p></div>\n'
        f"<header><h1>{escape(first)}</h1>"
        + (f'<ul class="next">{said}</ul>' if said else "")
        + _at_a_glance(of)
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + f'<p class="by">Measured as <b>{escape(of.measured_by)}</b>.{_caution(of)}</p></header>'
    )


def _caution(of: Material) -> str:
    if of.noun == "Identity":
        return ""
    return (
        " It compares how pictures look and does not recognise a face: read the figure as likeness."
    )


def _at_a_glance(of: Material) -> str:
    source = tile(of.character.source.image, "The original picture", "", "own")
    parts = [f"<figure>{source}<figcaption>The one original</figcaption></figure>"]
    if of.middle is not None:
        off, on = of.middle
        words = words_of(on.sample)
        name = short_name(of.card.best)
        for made, kind, caption in ((off, "off", "LoRA off"), (on, "on", name)):
            chip = f"{kind} {likeness(made.sample)}"
            shown = tile(made.image, f"{caption}: {words}", chip, kind)
            parts.append(f"<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>")
        parts.append(
            f'<p class="scene">Of the scenes, the one of middle likeness: {escape(words)}.</p>'
        )
    return f'<div class="glance">{"".join(parts)}</div>'
