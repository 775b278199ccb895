"""A workflow as the page saves it, turned into the prompt that ComfyUI executes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .problem import Problem

Json = dict[str, Any]
WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
VIRTUAL = {"Note", "MarkdownNote"}
MUTED, BYPASSED = 2, 4
CONTROL = {"fixed", "increment", "decrement", "randomize"}
ENTRANCE = ":-10"
"""How the id ends of what a subgraph is given, inside of it."""


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

    Notes and muted nodes are left out, bypassed nodes and reroutes passed through, and of a
    subgraph the nodes inside are taken: '5:2' is node 2 inside node 5. Raises Problem for a node
    type that ComfyUI does not have.
    """
    graph = OpenedGraph(workflow)
    prompt = {}
    for key, node in graph.nodes.items():
        if node["type"] == "Reroute" or node.get("mode") in (MUTED, BYPASSED) or graph.is_box(node):
            continue
        if node["type"] not in object_info:
            raise Problem(f"This ComfyUI has no node {node['type']!r}, which the workflow uses.")
        info = object_info[node["type"]]
        inputs = widget_values(node, info)
        for slot in node.get("inputs", []):
            source = graph.source(slot.get("link"))
            if isinstance(source, Promoted):
                for value in source.values:
                    inputs[slot["name"]] = value
            elif source is not None:
                inputs[slot["name"]] = [source[0], source[1]]
        title = node.get("title") or info.get("display_name") or node["type"]
        prompt[key] = {"class_type": node["type"], "inputs": inputs, "_meta": {"title": title}}
    return prompt


@dataclass(frozen=True)
class Promoted:
    """What a subgraph's own widget says for one inside; no value where none was saved."""

    values: tuple[Any, ...] = ()


class OpenedGraph:
    """The nodes of a saved workflow and of the subgraphs in it, all by ids of their own."""

    def __init__(self, workflow: Json) -> None:
        known = workflow.get("definitions", {}).get("subgraphs", [])
        self._boxes: dict[str, Json] = {box["id"]: box for box in known}
        self._links: dict[str, tuple[str, int]] = {}
        self.nodes: dict[str, Json] = {}
        links = [(link[0], link[1], link[2]) for link in workflow.get("links", [])]
        self._add(workflow["nodes"], links, "")

    def is_box(self, node: Json) -> bool:
        """Whether ``node`` stands for a subgraph."""
        return node["type"] in self._boxes

    def source(self, link: str | int | None) -> tuple[str, int] | Promoted | None:
        """The node and output a link really comes from, or the widget of the subgraph around it.

        Behind reroutes, bypassed nodes and the borders of subgraphs; None where nothing is.
        """
        while str(link) in self._links:
            node_id, output = self._links[str(link)]
            if node_id.endswith(ENTRANCE):
                slot = (box := self.nodes[node_id.removesuffix(ENTRANCE)])["inputs"][output]
                link = slot.get("link")
                if link is None:
                    return _promoted(box, slot["name"])
                continue
            node = self.nodes.get(node_id)
            if node is None or node.get("mode") == MUTED:
                return None
            if node["type"] == "Reroute":
                link = node["inputs"][0].get("link")
            elif node.get("mode") == BYPASSED:
                kind = node["outputs"][output]["type"]
                same = [slot for slot in node.get("inputs", []) if slot["type"] == kind]
                link = next((slot["link"] for slot in same if slot.get("link") is not None), None)
            elif self.is_box(node):
                [inner] = self._boxes[node["type"]]["outputs"][output]["linkIds"]
                link = f"{node_id}:{inner}"
            else:
                return node_id, output
        return None

    def _add(self, nodes: list[Json], links: list[tuple[Any, Any, int]], inside: str) -> None:
        """Takes up a graph, and each subgraph in it; ``inside``: what its ids begin with."""
        self._links |= {f"{inside}{key}": (f"{inside}{node}", slot) for key, node, slot in links}
        for node in nodes:
            if node["type"] in VIRTUAL:
                continue
            slots = [
                slot | {"link": None if slot.get("link") is None else f"{inside}{slot['link']}"}
                for slot in node.get("inputs", [])
            ]
            key = f"{inside}{node['id']}"
            self.nodes[key] = node | {"inputs": slots}
            if self.is_box(node) and node.get("mode") not in (MUTED, BYPASSED):
                box = self._boxes[node["type"]]
                within = [(one["id"], one["origin_id"], one["origin_slot"]) for one in box["links"]]
                self._add(box["nodes"], within, f"{key}:")


def _promoted(box: Json, name: str) -> Promoted:
    """What the subgraph node ``box`` has saved for its own widget ``name``."""
    names = [slot["name"] for slot in box["inputs"] if "widget" in slot]
    saved = dict(zip(names, box.get("widgets_values") or [], strict=False))
    return Promoted((saved[name],)) if name in saved else Promoted()


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
