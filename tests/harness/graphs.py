"""What the tests of saved workflows ask of each."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from facet.launcher.workflow import declared, is_controlled, widget_values

if TYPE_CHECKING:
    from .browser import Page

Saved = dict[str, Any]
"""A workflow as the page keeps it."""
Prompt = dict[str, dict[str, Any]]
"""A workflow as the API takes it."""

ONE_OF_EACH = {"samples": 1, "trigger_only": 1, "attributes": 1, "leak_probes": 1}
"""Inputs of a scorer that makes one picture of each kind of prompt, and soon has done."""


def models_of(saved: Saved) -> list[dict[str, str]]:
    """What the loaders of a workflow offer to download."""
    return [m for node in saved["nodes"] for m in node["properties"].get("models", [])]


def inputs_of(prompt: Prompt, kind: str) -> list[dict[str, Any]]:
    """The inputs of the nodes of that kind."""
    return [node["inputs"] for node in prompt.values() if node["class_type"] == kind]


def changed(prompt: Prompt, values: dict[str, dict[str, Any]]) -> Prompt:
    """The prompt with other ``values`` for the inputs of each kind of node."""
    return {
        key: node | {"inputs": node["inputs"] | values.get(node["class_type"], {})}
        for key, node in prompt.items()
    }


def with_widgets(saved: Saved, known: Saved, values: dict[str, dict[str, Any]]) -> Saved:
    """The workflow with other ``values`` of the widgets of each kind of node.

    known: ComfyUI's answer to /object_info.
    """
    made = copy.deepcopy(saved)
    for node in made["nodes"]:
        if wanted := values.get(node["type"]):
            widgets = widget_values(node, known[node["type"]]) | wanted
            node["widgets_values"] = []
            for name, options in declared(known[node["type"]]):
                held = [widgets.pop(name)]
                node["widgets_values"] += held + ["fixed"] * is_controlled(name, options)
            assert not widgets, f"{node['type']} has no {', '.join(widgets)}"
    return made


def check_size(saved: Saved, nodes: int, groups: range) -> None:
    """A workflow is small enough to understand, has a note, and nothing in it changes by itself."""
    assert len(saved["nodes"]) <= nodes
    assert len(saved["groups"]) in groups
    assert any(node["type"] == "MarkdownNote" for node in saved["nodes"])
    for node in saved["nodes"]:
        assert "randomize" not in (node.get("widgets_values") or [])


def check_in_page(page: Page, saved: Saved, prompt: Prompt) -> None:
    """The page loads it without a word, and would queue what the API is given."""
    page.load(saved)
    assert page.troubles() == []
    assert what_it_means(page.prompt()) == what_it_means(prompt)


def check_offers(page: Page, saved: Saved) -> None:
    """Without its models the page offers each to download, and complains of nothing else."""
    wanted = models_of(saved)
    page.load(saved)
    shown = page.page.get_by_test_id("error-overlay").inner_text()
    assert shown.startswith(f"{len(wanted)} errors")
    page.page.get_by_text("View details").first.click()
    rows = page.page.get_by_test_id("missing-model-importable-rows").inner_text().split("\n")
    for model in wanted:
        assert rows.count(model["name"]) == 1
    assert page.page.get_by_test_id("missing-model-download").count() == len(wanted)
    # ComfyUI without API nodes lets the page ask nobody how large the files are.
    assert [text for text in page.messages if "Content Security Policy" not in text] == []


def what_it_means(prompt: Prompt) -> dict[str, tuple[str, dict[str, Any]]]:
    """A prompt without the titles of its nodes."""
    return {key: (node["class_type"], node["inputs"]) for key, node in prompt.items()}


def check_thumbnail(file: Path) -> None:
    """The picture beside a workflow's ``file`` is one that the page shows."""
    thumbnail = file.with_suffix(".jpg")
    with Image.open(thumbnail) as picture:
        assert picture.format == "JPEG"
        assert min(picture.size) >= 256
    assert thumbnail.stat().st_size < 400_000
