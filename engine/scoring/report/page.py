"""The report as one HTML file that needs nothing else: no network, no script, images inside."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.character import Character
from ..choice import AS_GOOD
from ..evaluate import Evaluation
from ..metrics import ATTRIBUTES
from ..protocol import ATTRIBUTE, LEAK, SCENE, TRIGGER
from ..text import images, percent, score_of, turning, two_places, words_of
from ..verdict import Judgement, doubts, judged
from .charts import charts
from .material import BASELINE, Material, short_name
from .numbers import maps, numbers_of, pareto
from .samples import Tile, attributes, leaks, nearest, sheet, tile, trigger_alone, worst

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Nothing in a report runs or is fetched, wherever it is opened."""
MOST_HELD_OUT = 2
SENTENCE = re.compile(r"(?<=\.) (?=[A-Z0-9])")


@dataclass(frozen=True)
class SummaryView:
    """The verdict's sentences, three images with their captions, and what their scene is."""

    sentences: Sequence[str]
    glance: Sequence[tuple[Tile, str]]
    scene: str


def report_page(character: Character, evaluation: Evaluation) -> str:
    """The HTML of the report, the verdict first and the settings last."""
    of = Material(character, evaluation)
    return _templates().get_template("report.html").render(
        title=f"{character.name}: identity report",
        policy=POLICY,
        style=(HERE / "report.css").read_text("utf-8"),
        sections=[(rendered(name, of), FOLDED.get(name)) for name in SECTIONS],
    )  # fmt: skip


def rendered(name: str, of: Material) -> str:
    """The HTML of the section ``name``, one of SECTIONS; '' where it has nothing to show."""
    from markupsafe import Markup

    template, view = SECTIONS[name]
    shown = view(of)
    if not shown:
        return ""
    return Markup(_templates().get_template(f"{template}.html").render(view=shown, of=of))


def sentences(verdict: str) -> list[str]:
    """The verdict's sentences."""
    return SENTENCE.split(verdict.strip())


def summary(of: Material) -> SummaryView:
    """The verdict with what it says to do, and the original beside a scene made both ways."""
    card = of.card
    glance = [(tile(of.character.source.image, "The original image", "", "own"), "The original")]
    glance += [
        (tile(image, "A held-out picture", "", "own"), "Held out: nobody has seen it")
        for image in of.evaluation.held_out[:MOST_HELD_OUT]
    ]
    scene = ""
    if of.middle is not None:
        scene = words_of(of.middle[1].sample)
        names = (("off", BASELINE), ("on", short_name(card.best)))
        for made, (kind, name) in zip(of.middle, names, strict=True):
            chip = f"{kind} {score_of(made.sample)}"
            glance.append((tile(made.image, f"{name}: {scene}", chip, kind), name))
    return SummaryView(sentences(card.verdict), glance, scene)


def rules(of: Material) -> list[Judgement]:
    """Each rule of the verdict, what it found, and whether it holds."""
    return [*judged(of.card), *doubts(of.card)]


def settings(of: Material) -> tuple[dict[str, Any], str]:
    """With what the samples were made and measured, and their prompts, one a line."""
    card, scale = of.card, of.card.calibration
    made = {name.replace("_", " "): value for name, value in card.settings.items()}
    made.pop("measured by", None)
    vae = f"{scale.reproduction:.1f} dB" if scale.reproduction is not None else ""
    values = {
        "measured as": of.measured_by,
        **made,
        "chosen": card.best.label,
        "file": Path(card.best.path).name,
        "dataset": card.character_hash[:16],
        "encoder tells apart": f"{percent(scale.separation)} of pairs",
        "VAE round trip": vae,
    }
    prompts = [
        ("leak: " if one.prompt.kind == LEAK else "") + one.prompt.text("")
        for one in card.best.samples
        if one.prompt.kind in (SCENE, LEAK)
    ]
    shown = {name: value for name, value in values.items() if value not in (None, "")}
    return shown, "\n".join(prompts)


SECTIONS: dict[str, tuple[str, Callable[[Material], Any]]] = {
    "summary": ("summary", summary),
    "numbers": ("numbers", numbers_of),
    "maps": ("maps", maps),
    "pareto": ("pareto", pareto),
    "sheet": ("sheet", sheet),
    "charts": ("charts", charts),
    "worst": ("worst", worst),
    "nearest": ("sheet", nearest),
    TRIGGER: ("strips", trigger_alone),
    ATTRIBUTE: ("sheet", attributes),
    LEAK: ("sheet", leaks),
    "rules": ("rules", rules),
    "settings": ("settings", settings),
}
"""Each section's template and what it is made from, in the order of the page."""
FOLDED = {
    "pareto": "What similarity costs",
    "sheet": "Every image",
    "charts": "By checkpoint, view and kind of image",
    "nearest": "Nearest training images",
    TRIGGER: "Prompted with the trigger only",
    ATTRIBUTE: ATTRIBUTES.label,
    LEAK: "Clothes not in the prompt",
    "rules": "How the verdict was made",
    "settings": "Settings and prompts",
}
"""Sections that wait below their titles: what decides stands open, before them."""


@cache
def _templates() -> Environment:
    """The templates beside this file: what is put into them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {
        "images": images,
        "turning": turning,
        "two_places": two_places,
        "as_good": f"{AS_GOOD:g}",
    }
    return templates
