"""A workflow as the page saves it, turned into the prompt that ComfyUI executes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .problem import Problem

Json = dict[str, Any]
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
VIRTUAL = {"Note", "MarkdownNote"}
MUTED, BYPASSED = 2, 4
CONTROL = {"fixed", "increment", "decrement", "randomize"}


def load(path: Path) -> Json:
    """A workflow file; raises Problem when it is none."""
    try:
        workflow = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(f"The workflow {path} cannot be read: {error}") from error
    if not isinstance(workflow.get("nodes"), list):
        raise Problem(f"{path} is no workflow in the page's format.")
    return workflow


def to_prompt(workflow: Json, object_info: Json) -> dict[str, Json]:
    """The API prompt of a saved workflow; object_info: ComfyUI's answer of that name.

    Notes and muted nodes are left out, bypassed nodes and reroutes passed through. Raises Problem
    for a node type that ComfyUI does not have.
    """
    nodes = {node["id"]: node for node in workflow["nodes"] if node["type"] not in VIRTUAL}
    links = {link[0]: (link[1], link[2]) for link in workflow.get("links", [])}
    prompt = {}
    for node in nodes.values():
        if node["type"] == "Reroute" or node.get("mode") in (MUTED, BYPASSED):
            continue
        if node["type"] not in object_info:
            raise Problem(f"This ComfyUI has no node {node['type']!r}, which the workflow uses.")
        info = object_info[node["type"]]
        inputs = widget_values(node, info)
        for slot in node.get("inputs", []):
            source = follow(slot.get("link"), nodes, links)
            if source is not None:
                inputs[slot["name"]] = [str(source[0]), source[1]]
        title = node.get("title") or info.get("display_name") or node["type"]
        prompt[str(node["id"])] = {
            "class_type": node["type"],
            "inputs": inputs,
            "_meta": {"title": title},
        }
    return prompt


def follow(
    link: int | None, nodes: dict[int, Json], links: dict[int, tuple[int, int]]
) -> tuple[int, int] | None:
    """The node and output a link really comes from, behind reroutes and bypassed nodes."""
    while link is not None and link in links:
        node_id, output = links[link]
        node = nodes.get(node_id)
        if node is None or node.get("mode") == MUTED:
            return None
        if node["type"] == "Reroute":
            link = node["inputs"][0].get("link")
        elif node.get("mode") == BYPASSED:
            kind = node["outputs"][output]["type"]
            same = [slot for slot in node.get("inputs", []) if slot["type"] == kind]
            link = next((slot["link"] for slot in same if slot.get("link") is not None), None)
        else:
            return node_id, output
    return None


def widget_values(node: Json, info: Json) -> Json:
    """A node's widgets by name, from the list in which the page saves their values."""
    saved = node.get("widgets_values", [])
    if isinstance(saved, dict):
        return dict(saved)
    values = list(saved)
    named: Json = {}
    for name, options in declared(info):
        if not values:
            # Saved before the node had this widget, to which the page gives its default.
            if "default" in options:
                named[name] = options["default"]
            continue
        named[name] = values.pop(0)
        if values and is_controlled(name, options) and values[0] in CONTROL:
            values.pop(0)
        for upload in ("image_upload", "video_upload", "audio_upload"):
            if values and options.get(upload) and values[0] == "image":
                values.pop(0)
    return named


def is_controlled(name: str, options: Json) -> bool:
    """Whether the page puts a widget behind this one that says how its value goes on."""
    return bool(options.get("control_after_generate")) or name in ("seed", "noise_seed")


def declared(info: Json) -> list[tuple[str, Json]]:
    """The inputs of a node that are widgets, in the order of its schema."""
    found = []
    for group in ("required", "optional"):
        for name in info.get("input_order", {}).get(group, []):
            spec = info["input"][group][name]
            options = spec[1] if len(spec) > 1 else {}
            kind = spec[0]
            if (isinstance(kind, list) or kind in WIDGETS) and not options.get("forceInput"):
                found.append((name, options))
    return found
