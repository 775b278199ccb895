"""A saved workflow becomes the prompt that the page would send."""

from __future__ import annotations

from typing import Any

import pytest

from facet.launcher.problem import Problem
from facet.launcher.workflow import to_prompt

INFO: dict[str, Any] = {
    "Load": {
        "input": {"required": {"image": [["a.png"], {"image_upload": True}]}},
        "input_order": {"required": ["image"]},
        "display_name": "Load Image",
    },
    "Sample": {
        "input": {
            "required": {
                "image": ["IMAGE"],
                "seed": ["INT", {"control_after_generate": True}],
                "steps": ["INT", {}],
                "mode": ["COMBO", {"options": ["a", "b"]}],
            },
            "optional": {"text": ["STRING", {}], "wired": ["FLOAT", {"forceInput": True}]},
        },
        "input_order": {
            "required": ["image", "seed", "steps", "mode"],
            "optional": ["text", "wired"],
        },
    },
}


def node(number: int, kind: str, values: Any = (), **more: Any) -> dict[str, Any]:
    return {"id": number, "type": kind, "mode": 0, "widgets_values": values, **more}


def slot(name: str, link: int | None, kind: str = "IMAGE") -> dict[str, Any]:
    return {"name": name, "type": kind, "link": link}


LOAD = node(1, "Load", ["a.png", "image"], outputs=[{"type": "IMAGE"}])
IMAGE_LINK = [1, 1, 0, 2, 0, "IMAGE"]


def sample(link: int | None = 1, **more: Any) -> dict[str, Any]:
    return node(2, "Sample", [7, "fixed", 20, "b", "hi"], inputs=[slot("image", link)], **more)


def test_widgets_keep_their_names_past_seed_controls_and_upload_buttons() -> None:
    prompt = to_prompt({"nodes": [LOAD, sample()], "links": [IMAGE_LINK]}, INFO)
    assert prompt["1"]["inputs"] == {"image": "a.png"}
    assert prompt["2"]["inputs"] == {
        "image": ["1", 0],
        "seed": 7,
        "steps": 20,
        "mode": "b",
        "text": "hi",
    }


def test_a_widget_that_is_wired_takes_the_link() -> None:
    wired = sample()
    wired["inputs"].append(slot("steps", 2, "INT") | {"widget": {"name": "steps"}})
    graph = {"nodes": [LOAD, wired], "links": [IMAGE_LINK, [2, 1, 0, 2, 1, "INT"]]}
    assert to_prompt(graph, INFO)["2"]["inputs"]["steps"] == ["1", 0]


def test_values_saved_by_name_are_taken_as_they_are() -> None:
    prompt = to_prompt({"nodes": [node(1, "Load", {"image": "b.png"})], "links": []}, INFO)
    assert prompt["1"]["inputs"] == {"image": "b.png"}


def test_a_widget_that_came_after_the_file_was_saved_has_its_default() -> None:
    info = {
        "Load": {
            "input": {
                "required": {"image": [["a.png"], {}]},
                "optional": {"more": ["STRING", {"default": "as before"}]},
            },
            "input_order": {"required": ["image"], "optional": ["more"]},
        }
    }
    prompt = to_prompt({"nodes": [node(1, "Load", ["b.png"])], "links": []}, info)
    assert prompt["1"]["inputs"] == {"image": "b.png", "more": "as before"}


def test_notes_are_left_out() -> None:
    notes = [node(8, "Note", ["hello"]), node(9, "MarkdownNote", ["# hello"])]
    assert set(to_prompt({"nodes": [LOAD, *notes], "links": []}, INFO)) == {"1"}


def test_a_muted_node_and_the_links_from_it_are_left_out() -> None:
    graph = {"nodes": [LOAD | {"mode": 2}, sample()], "links": [IMAGE_LINK]}
    assert "image" not in to_prompt(graph, INFO)["2"]["inputs"]


@pytest.mark.parametrize("middle", ["Reroute", "Sample"])
def test_links_go_through_reroutes_and_bypassed_nodes(middle: str) -> None:
    between = node(3, middle, mode=0 if middle == "Reroute" else 4)
    between |= {"inputs": [slot("image", 1)], "outputs": [{"type": "IMAGE"}]}
    links = [[1, 1, 0, 3, 0, "IMAGE"], [2, 3, 0, 2, 0, "IMAGE"]]
    prompt = to_prompt({"nodes": [LOAD, between, sample(2)], "links": links}, INFO)
    assert set(prompt) == {"1", "2"}
    assert prompt["2"]["inputs"]["image"] == ["1", 0]


BOX = "0b0b0b0b-0000-4000-8000-000000000001"


def boxed(inner: list[dict[str, Any]], links: list[list[int]], **slots: Any) -> dict[str, Any]:
    """A subgraph of nodes that is given ``image`` and ``steps``, and gives one image.

    links: origin, its slot, target, its slot; -10 is what it is given, -20 what it gives.
    """
    named = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
    inside = [dict(zip(named, (number, *link), strict=True)) for number, link in enumerate(links)]
    [given] = [link["id"] for link in inside if link["target_id"] == -20]
    return {"id": BOX, "nodes": inner, "links": inside, "outputs": [{"linkIds": [given]}], **slots}


def test_of_a_subgraph_the_nodes_inside_are_taken() -> None:
    within = sample(0)
    within["inputs"].append(slot("steps", 1, "INT") | {"widget": {"name": "steps"}})
    inside = boxed([within], [[-10, 0, 2, 0], [-10, 1, 2, 1], [2, 0, -20, 0]])
    widget = slot("steps", None, "INT") | {"widget": {"name": "steps"}}
    box = node(5, BOX, [33], inputs=[slot("image", 1), widget])
    after = sample(2) | {"id": 6}
    links = [[1, 1, 0, 5, 0, "IMAGE"], [2, 5, 0, 6, 0, "IMAGE"]]
    graph = {
        "nodes": [LOAD, box, after],
        "links": links,
        "definitions": {"subgraphs": [inside]},
    }
    prompt = to_prompt(graph, INFO)
    assert set(prompt) == {"1", "5:2", "6"}
    assert prompt["5:2"]["inputs"]["image"] == ["1", 0]
    assert prompt["5:2"]["inputs"]["steps"] == 33  # the box's own widget, not 20
    assert prompt["6"]["inputs"]["image"] == ["5:2", 0]
    box["widgets_values"] = []
    assert to_prompt(graph, INFO)["5:2"]["inputs"]["steps"] == 20
    box["mode"] = 2
    assert set(to_prompt(graph, INFO)) == {"1", "6"}


def test_a_subgraph_in_a_subgraph_is_opened_too() -> None:
    inside = boxed([sample(0)], [[-10, 0, 2, 0], [2, 0, -20, 0]])
    around = boxed(
        [node(3, BOX, [], inputs=[slot("image", 0)])], [[-10, 0, 3, 0], [3, 0, -20, 0]]
    ) | {"id": "around"}
    box = node(5, "around", [], inputs=[slot("image", 1)])
    graph = {
        "nodes": [LOAD, box, sample(2) | {"id": 6}],
        "links": [[1, 1, 0, 5, 0, "IMAGE"], [2, 5, 0, 6, 0, "IMAGE"]],
        "definitions": {"subgraphs": [inside, around]},
    }
    prompt = to_prompt(graph, INFO)
    assert set(prompt) == {"1", "5:3:2", "6"}
    assert prompt["5:3:2"]["inputs"]["image"] == ["1", 0]
    assert prompt["6"]["inputs"]["image"] == ["5:3:2", 0]


def test_the_title_is_the_one_on_the_node() -> None:
    graph = {"nodes": [LOAD, sample(title="Make it")], "links": [IMAGE_LINK]}
    titles = [entry["_meta"]["title"] for entry in to_prompt(graph, INFO).values()]
    assert titles == ["Load Image", "Make it"]


def test_an_unknown_node_is_named() -> None:
    with pytest.raises(Problem, match="no node 'Gone'"):
        to_prompt({"nodes": [node(1, "Gone")], "links": []}, INFO)
