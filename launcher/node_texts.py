"""The texts that follow from the nodes' code; runs in ComfyUI's own environment."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .places import ROOT


def write() -> list[str]:
    """Write what has changed, in a process that has ComfyUI in it; the paths of it."""
    from .inprocess import start_comfyui

    ids = start_comfyui(sys.modules["facet"])
    import nodes

    texts = english({node: nodes.NODE_CLASS_MAPPINGS[node].GET_SCHEMA() for node in ids})
    locale = ROOT / "locales" / "en" / "nodeDefs.json"
    # In the order in which they stand there, as in the other languages.
    known = [node for node in json.loads(locale.read_text("utf-8")) if node in texts]
    ordered = {node: texts[node] for node in dict.fromkeys([*known, *texts])}
    wanted = {locale: json.dumps(ordered, ensure_ascii=False, indent=2) + "\n"}
    for node, parts in sections().items():
        page = ROOT / "js" / "docs" / f"{node}.md"
        wanted[page] = with_sections(page.read_text("utf-8"), parts)
    changed = [path for path, text in wanted.items() if path.read_text("utf-8") != text]
    for path in changed:
        path.write_text(wanted[path], encoding="utf-8")
    return [path.relative_to(ROOT).as_posix() for path in changed]


def english(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """What `locales/en/nodeDefs.json` holds: each node's texts, in the schema's own words."""
    return {
        node: {
            "display_name": schema.display_name,
            "description": schema.description,
            "inputs": {one.id: _said_of(one) for one in schema.inputs},
            "outputs": {str(number): _said_of(one) for number, one in enumerate(schema.outputs)},
        }
        for node, schema in schemas.items()
    }


def _said_of(slot: Any) -> dict[str, str]:
    return {"name": slot.display_name or slot.id, "tooltip": slot.tooltip}


def sections() -> dict[str, dict[str, Callable[[], str]]]:
    """What is generated of the help pages: by node, and by the name that the page marks it with."""
    return {
        "FacetLoraTrainer": {"settings": trainer_settings, "resumable": resumable_settings},
        "FacetTrainingOptions": {"settings": options_settings},
        "FacetExpressionEditor": {"sliders": editor_sliders},
        "FacetFaceEmbedder": {"card": embedder_card},
    }


def trainer_settings() -> str:
    """The settings on the trainer, a line each."""
    from ..engine.training.settings import TRAINER, TrainingSettings, settings_of

    table = settings_of(TrainingSettings)
    return "\n".join(_line(one) for one in table if one.group == TRAINER)


def options_settings() -> str:
    """All other settings, a line each, by their groups."""
    from ..engine.training.settings import TRAINER, TrainingSettings, settings_of

    groups: dict[str, list[str]] = {}
    for one in settings_of(TrainingSettings):
        if one.group != TRAINER:
            groups.setdefault(one.group, []).append(_line(one))
    return "\n\n".join(f"**{group}**\n" + "\n".join(lines) for group, lines in groups.items())


def editor_sliders() -> str:
    """The sliders of a face, by their regions: each with its range and what it does."""
    from ..engine.generate.expression.table import SLIDERS

    rows = ["| slider | from | to | what it does |", "|---|---|---|---|"]
    for region in dict.fromkeys(one.region for one in SLIDERS):
        rows.append(f"| *{region}* | | | |")
        rows += [
            f"| `{one.name}` | {one.low:g} | {one.high:g} | {one.does} |"
            for one in SLIDERS
            if one.region == region
        ]
    return "\n".join(rows)


def embedder_card() -> str:
    """What the JSON beside a recognition model may say, a row each."""
    from dataclasses import fields

    from ..engine.vision.embedder_card import EmbedderCard

    rows = [f"| `{one.name}` | {one.metadata['help']} |" for one in fields(EmbedderCard)]
    return "\n".join(["| key | what it says |", "|---|---|", *rows])


def resumable_settings() -> str:
    """The settings that may differ when a run is resumed."""
    from ..engine.training.settings import TrainingSettings, settings_of

    return ", ".join(f"**{one.name}**" for one in settings_of(TrainingSettings) if one.resumable)


def _line(setting: Any) -> str:
    label = f" ({setting.label.replace('_', ' ')})" if setting.label else ""
    return f"- **{setting.name}**{label}: " + " ".join(
        filter(None, (setting.help, setting.details))
    )


def with_sections(page: str, texts: Mapping[str, Callable[[], str]]) -> str:
    """`page` with what stands between each section's marks written anew.

    Raises ValueError when a mark is missing.
    """
    for name, text in texts.items():
        start, end = f"<!-- {name}: written by facet.py words -->\n", f"<!-- end of {name} -->"
        before, found, rest = page.partition(start)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"The help page has no section {name!r}; put {start.strip()} into it.")
        page = f"{before}{start}{text()}\n{end}{after}"
    return page
