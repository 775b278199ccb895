"""The boxes of `subgraphs/`: as ComfyUI lists them, as the page sees them, and run."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest

from facet.launcher import workflow
from facet.launcher.places import ROOT
from harness.browser import TOAST, Page, Pages
from harness.comfy_server import ComfyServer
from harness.graphs import (
    ONE_OF_EACH,
    changed,
    check_apart,
    check_in_page,
    check_models,
    check_offers,
    inputs_of,
)

FOLDER = ROOT / "subgraphs"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
WHOLE, JUDGE = "One picture to LoRA", "Facet Judge (faces, likeness, background)"
STUDIOS = [name for name in NAMES if name.startswith("Facet Studio (")]
LINE = "close-up, front view, smiling, plain grey background"
SMALL = {"width": 64, "height": 64, "steps": 1, "prompt_style": "plain"}
FEW = {
    "FacetStudio": SMALL,
    "FacetJudge": {"tries": 1, "min_identity": -1.0, "max_yaw_error": 90.0},
    "FacetShotPlan": {"preset": "own lines only", "lines": LINE},
    "FacetTrainingOptions": {"quality": "custom", "memory": "as it is", "resolutions": "64"},
    "FacetLoraTrainer": {"steps": 2, "rank": 2, "batch_size": 1, "checkpoint_every": 1},
    "FacetIdentityScorer": ONE_OF_EACH | {"checkpoints": 1},
}


@cache
def saved(name: str) -> dict[str, Any]:
    return workflow.load(FOLDER / f"{name}.json")


def put_together(
    boxes: list[str], nodes: list[dict[str, Any]], links: list[list[Any]]
) -> dict[str, Any]:
    """A workflow of the boxes, whose ids are 1, 2, …, with other ``nodes`` and ``links``."""
    instances = [saved(name)["nodes"][0] | {"id": number} for number, name in enumerate(boxes, 1)]
    graph = {"nodes": copy.deepcopy([*instances, *nodes]), "links": links}
    for link, _, _, target, slot, _ in links:
        node = next(node for node in graph["nodes"] if node["id"] == target)
        node["inputs"][slot]["link"] = link
    known = [saved(name)["definitions"]["subgraphs"][0] for name in boxes]
    ids = {"last_node_id": len(graph["nodes"]), "last_link_id": len(links), "version": 0.4}
    return {**graph, **ids, "definitions": {"subgraphs": known}}


def node(number: int, kind: str, inputs: dict[str, str], **values: Any) -> dict[str, Any]:
    """A node with its sockets and its widgets by name."""
    slots = [{"name": name, "type": sort, "link": None} for name, sort in inputs.items()]
    return {"id": number, "type": kind, "mode": 0, "inputs": slots, "widgets_values": values}


def test_there_is_a_studio_of_each_family_a_judge_and_the_whole() -> None:
    assert len(STUDIOS) == 9
    assert {JUDGE, WHOLE} == set(NAMES) - set(STUDIOS)


@pytest.mark.parametrize("name", NAMES)
def test_a_box_is_one_node_with_the_graph_that_it_stands_for(name: str) -> None:
    [box], [inside] = saved(name)["nodes"], saved(name)["definitions"]["subgraphs"]
    assert box["type"] == inside["id"]
    assert inside["name"] == name
    assert inside["description"].endswith(".")
    assert inside["category"].split("/")[0] == "Facet"
    check_models(saved(name))
    given = {one["name"] for one in box["inputs"] if "widget" in one}
    assert given == {one["name"] for one in inside["inputs"] if one["type"] in workflow.WIDGETS}
    assert len(box["widgets_values"]) == len(given)


def test_no_two_boxes_share_an_id() -> None:
    inside = [saved(name)["definitions"]["subgraphs"][0] for name in NAMES]
    ids = [one["id"] for one in inside] + [each["id"] for one in inside for each in one["nodes"]]
    assert len(set(ids)) == len(ids)


def test_a_studio_box_asks_for_file_names_alone() -> None:
    for name in STUDIOS:
        asked = [one["name"] for one in saved(name)["nodes"][0]["inputs"]]
        assert asked and all(one.rstrip("12").endswith("_name") for one in asked), name


@pytest.mark.browser
def test_comfyui_lists_them_and_the_page_takes_them_without_a_word(
    pages: Pages, server: ComfyServer
) -> None:
    listed = server.client.get("/global_subgraphs")
    ours = [one for one in listed.values() if one["info"]["node_pack"] == "custom_nodes.facet"]
    assert {one["name"] for one in ours} == set(NAMES)
    page = pages.cleared(True)
    with page.page.expect_response(f"**/global_subgraphs/{list(listed)[-1]}"):
        page.open()
    page.settle()
    assert page.page.locator(TOAST).count() == 0


@pytest.mark.browser
def test_without_their_models_the_page_offers_each_and_nothing_else(pages: Pages) -> None:
    check_offers(pages.cleared(True), put_together([*STUDIOS, JUDGE], [], []))


@pytest.mark.browser
def test_inside_no_node_lies_on_another(page: Page) -> None:
    inside = [saved(name)["definitions"]["subgraphs"][0] for name in NAMES]
    opened = [
        {"version": 0.4, "nodes": one["nodes"], "links": [], "last_node_id": 0, "last_link_id": 0}
        for one in unlinked(inside)
    ]
    for graph in opened:
        page.run("(graph) => app.loadGraphData(graph)", graph)
        check_apart(page)


def unlinked(graphs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The graphs without what ties their nodes."""
    graphs = copy.deepcopy(graphs)
    for each in (each for graph in graphs for each in graph["nodes"]):
        each["inputs"] = [slot | {"link": None} for slot in each["inputs"]]
        each["outputs"] = [slot | {"links": None} for slot in each["outputs"]]
    return graphs


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("vue", [False, True], ids=["canvas", "vue"])
def test_with_their_models_they_load_without_a_word_and_mean_what_is_in_them(
    vue: bool, narrow_pages: Pages, narrow_server: ComfyServer
) -> None:
    known, graph = narrow_server.client.get("/object_info"), put_together(NAMES, [], [])
    check_in_page(narrow_pages.cleared(vue), graph, workflow.to_prompt(graph, known))


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIOS)
def test_a_studio_box_and_the_judge_box_make_and_measure_shots(
    name: str, narrow_server: ComfyServer
) -> None:
    nodes = [
        node(3, "LoadImage", {}, image="example.png"),
        node(4, "FacetCharacter", {"image": "IMAGE"}, name=name, trigger="zqx", class_word="cat"),
        node(5, "FacetShotPlan", {}, preset="own lines only", lines=LINE),
        node(
            6,
            "FacetShotGenerator",
            {
                "character": "FACET_CHARACTER",
                "plan": "FACET_PLAN",
                "studio": "FACET_STUDIO",
                "judge": "FACET_JUDGE",
            },
            seed=1,
            decisions="",
        ),
    ]
    links = [
        [1, 3, 0, 4, 0, "IMAGE"],
        [2, 4, 0, 6, 0, "FACET_CHARACTER"],
        [3, 5, 0, 6, 1, "FACET_PLAN"],
        [4, 1, 0, 6, 2, "FACET_STUDIO"],
        [5, 2, 0, 6, 3, "FACET_JUDGE"],
    ]
    graph = put_together([name, JUDGE], nodes, links)
    few = changed(workflow.to_prompt(graph, narrow_server.client.get("/object_info")), FEW)
    for studio in inputs_of(few, "FacetStudio"):
        if studio["reference_mode"] == "auto":  # a family that is shown no original
            studio["reference_mode"] = "img2img"
    run = narrow_server.run(few)
    assert run.status == "success", run.error
    [shown] = run.outputs["6"]["facet_shots"]
    assert shown["state"] == "finished" and shown["total"] == 1


@pytest.mark.slow
def test_one_picture_becomes_a_lora_in_one_box(narrow_server: ComfyServer) -> None:
    taken = [one["name"] for one in saved(WHOLE)["nodes"][0]["inputs"]]
    links = [[1, 4, 0, 3, taken.index("image"), "IMAGE"]]
    for number, name in enumerate(("studio", "train_in", "use_in"), 2):
        links.append([number, 1, 0, 3, taken.index(name), "FACET_STUDIO"])
    links.append([5, 2, 0, 3, taken.index("judge"), "FACET_JUDGE"])
    nodes = [node(4, "LoadImage", {}, image="example.png")]
    graph = put_together(["Facet Studio (SD 1.5)", JUDGE, WHOLE], nodes, links)
    box = graph["nodes"][2]
    widgets = [one["name"] for one in box["inputs"] if "widget" in one]
    box["widgets_values"][widgets.index("name")] = "Boxed"
    few = changed(workflow.to_prompt(graph, narrow_server.client.get("/object_info")), FEW)
    assert [one["name"] for one in inputs_of(few, "FacetCharacter")] == ["Boxed"]
    run = narrow_server.run(few)
    assert run.status == "success", run.error
    assert (narrow_server.output / "facet" / "Boxed" / "report" / "report.html").is_file()
    assert list((narrow_server.server.base / "models" / "loras" / "facet").glob("Boxed/*"))
