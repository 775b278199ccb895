"""The process that writes the nodes' texts: COMFYUI FOLDER, started by words.py."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


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
    }


def trainer_settings() -> str:
    """The settings on the trainer, a line each."""
    from facet.engine.training.settings import TRAINER, TrainingSettings, settings_of

    table = settings_of(TrainingSettings)
    return "\n".join(_line(one) for one in table if one.group == TRAINER)


def options_settings() -> str:
    """All other settings, a line each, by their groups."""
    from facet.engine.training.settings import TRAINER, TrainingSettings, settings_of

    groups: dict[str, list[str]] = {}
    for one in settings_of(TrainingSettings):
        if one.group != TRAINER:
            groups.setdefault(one.group, []).append(_line(one))
    return "\n\n".join(f"**{group}**\n" + "\n".join(lines) for group, lines in groups.items())


def resumable_settings() -> str:
    """The settings that may differ when a run is resumed."""
    from facet.engine.training.settings import TrainingSettings, settings_of

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


def main(comfyui: str, folder: str) -> None:
    """Write the English locale and the marked sections of the help pages."""
    # This folder's names are the launcher's, not packages to be imported.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT / "launcher"]
    spec = importlib.util.spec_from_file_location("inprocess", ROOT / "launcher" / "inprocess.py")
    assert spec is not None and spec.loader is not None
    inprocess = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(inprocess)
    inprocess.load_comfyui(Path(comfyui), Path(folder))
    ids = inprocess.start_comfyui(inprocess.declare_pack(ROOT))
    import nodes

    schemas = {node: nodes.NODE_CLASS_MAPPINGS[node].GET_SCHEMA() for node in ids}
    locale = ROOT / "locales" / "en" / "nodeDefs.json"
    texts = english(schemas)
    # In the order in which they stand there, as in the other languages.
    known = [node for node in json.loads(locale.read_text("utf-8")) if node in texts]
    ordered = {node: texts[node] for node in dict.fromkeys([*known, *texts])}
    _write(locale, json.dumps(ordered, ensure_ascii=False, indent=2) + "\n")
    for node, texts in sections().items():
        page = ROOT / "js" / "docs" / f"{node}.md"
        _write(page, with_sections(page.read_text("utf-8"), texts))


def _write(path: Path, text: str) -> None:
    if path.read_text("utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    # ComfyUI's event loop runs in a thread that does not end.
    os._exit(0)
