"""What the tests of saved workflows ask of each."""

from __future__ import annotations

import copy
import re
from itertools import combinations
from pathlib import Path
from typing import Any

from PIL import Image

from facet.launcher.workflow import declared, is_controlled, widget_values

from .browser import Page

Saved = dict[str, Any]
"""A workflow as the page keeps it."""
Prompt = dict[str, dict[str, Any]]
"""A workflow as the API takes it."""
Box = tuple[str, float, float, float, float]
"""Where a node is drawn: its name, left, top without the title, width, height with the title."""
MEASURE = """async (vue) => {
    const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
    const element = (node) => document.querySelector(`[data-node-id="${node.id}"]`);
    const ready = (node) => (vue ? element(node) : node.boundingRect[2] > 0);
    for (let tries = 0; tries < 600 && !app.graph.nodes.every(ready); tries++) await drawn();
    await drawn();
    return app.graph.nodes.map((node) => {
        const seen = vue ? element(node) : null;
        const [, , width, height] = node.boundingRect;
        const size = [seen?.offsetWidth ?? width, seen?.offsetHeight ?? height];
        return [`${node.id} ${node.type}`, node.pos[0], node.pos[1], ...size];
    });
}"""
DEMO_STUDIO = {"reference_mode": "reference_latents", "steps": 20, "cfg": 3.0}
DEMO_STUDIO |= {"scheduler": "simple", "sampler_name": "euler", "strengthen_likeness": True}
DEMO_JUDGE = {"min_identity": 0.5, "tries": 3}


def nodes_of(saved: Saved) -> list[dict[str, Any]]:
    """The nodes of a workflow, and those in its subgraphs."""
    graphs = [saved, *saved.get("definitions", {}).get("subgraphs", [])]
    return [node for graph in graphs for node in graph["nodes"]]


ONE_OF_EACH = {"samples": 1, "trigger_only": 1, "attributes": 1, "leak_probes": 1}
"""Inputs of a scorer that makes one picture of each kind of prompt, and soon has done."""


def models_of(saved: Saved) -> list[dict[str, str]]:
    """What the loaders of a workflow offer to download, each once."""
    offered = [model for node in nodes_of(saved) for model in node["properties"].get("models", [])]
    return list({model["name"]: model for model in offered}.values())


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


def with_own_studio(prompt: Prompt, studio: dict[str, Any], judge: dict[str, Any]) -> Prompt:
    """The prompt with a Studio and a Judge of such values, in the place of the demo's own."""
    [demo] = [key for key, node in prompt.items() if node["class_type"] == "FacetDemoModels"]
    ready = {(demo, 0): ["studio", 0], (demo, 1): ["judge", 0]}
    own = {
        key: node
        | {
            "inputs": {
                name: ready.get(tuple(value), value) if isinstance(value, list) else value
                for name, value in node["inputs"].items()
            }
        }
        for key, node in prompt.items()
    }
    models = {"model": [demo, 2], "clip": [demo, 3], "vae": [demo, 4]}
    eyes = {"clip_vision": [demo, 5], "face_detection_model": [demo, 6]}
    eyes["background_removal"] = [demo, 7]
    own["studio"] = {"class_type": "FacetStudio", "inputs": DEMO_STUDIO | models | studio}
    own["judge"] = {"class_type": "FacetJudge", "inputs": DEMO_JUDGE | eyes | judge}
    return own


def check_size(saved: Saved, nodes: int, groups: range, links: int = 28) -> None:
    """A workflow is small enough to understand, has a note, and nothing in it changes by itself."""
    assert len(saved["nodes"]) <= nodes
    assert len(saved["links"]) <= links
    assert len(saved["groups"]) in groups
    assert any(node["type"] == "MarkdownNote" for node in saved["nodes"])
    for node in nodes_of(saved):
        assert "randomize" not in (node.get("widgets_values") or [])


def check_models(saved: Saved) -> None:
    """Every loader says where each model that it asks for is to be had."""
    for node in nodes_of(saved):
        # What stands on a subgraph's own node is asked for by a loader in it.
        if re.fullmatch(r"[0-9a-f-]{36}", node["type"]):
            continue
        values = [value for value in node.get("widgets_values", []) if isinstance(value, str)]
        asked = [value for value in values if value.endswith(".safetensors")]
        offered = node["properties"].get("models", [])
        assert [model["name"] for model in offered] == asked
        for model in offered:
            assert model["url"].startswith("https://huggingface.co/")
            assert model["url"].endswith(f"/{model['name']}")


def check_in_page(page: Page, saved: Saved, prompt: Prompt) -> None:
    """The page loads it without a word, and would queue what the API is given."""
    page.load(saved)
    troubles = page.troubles()
    assert not troubles, troubles
    assert what_it_means(page.prompt()) == what_it_means(prompt)


def check_offers(page: Page, saved: Saved) -> None:
    """Without its models the page offers each to download, and complains of nothing else."""
    wanted = models_of(saved)
    page.load(saved)
    shown = page.page.get_by_test_id("error-overlay").inner_text()
    assert re.findall(r"\d+", shown) == [str(len(wanted))]
    page.page.get_by_test_id("error-overlay-see-errors").click()
    rows = page.page.get_by_test_id("missing-model-importable-rows").inner_text().split("\n")
    for model in wanted:
        assert rows.count(model["name"]) == 1
    assert page.page.get_by_test_id("missing-model-download").count() == len(wanted)
    assert page.messages == []


def check_apart(page: Page) -> None:
    """No node of the page's graph lies on another, in the renderer that it is drawn with."""
    boxes: list[Box] = page.run(MEASURE, page.vue)
    assert all(width > 0 and height > 30 for *_, width, height in boxes)

    def apart(one: Box, other: Box) -> bool:
        across = one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1]
        return across or one[2] + one[4] <= other[2] or other[2] + other[4] <= one[2]

    pairs = combinations(boxes, 2)
    lying = [f"{one[0]} and {other[0]}" for one, other in pairs if not apart(one, other)]
    assert not lying, ", ".join(lying)


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
