"""The browser harness: ComfyUI's page with the pack in it, in both renderers."""

from __future__ import annotations

from typing import Any

import pytest

from harness.browser import TOAST, Page, Pages

pytestmark = pytest.mark.browser

WORKFLOW: dict[str, Any] = {
    "version": 0.4,
    "last_node_id": 2,
    "last_link_id": 1,
    "nodes": [
        {
            "id": 1, "type": "LoadImage", "pos": [50, 50], "size": [300, 300], "flags": {},
            "order": 0, "mode": 0, "inputs": [], "properties": {},
            "outputs": [
                {"name": "IMAGE", "type": "IMAGE", "links": [1]},
                {"name": "MASK", "type": "MASK", "links": None},
            ],
            "widgets_values": ["example.png", "image"],
        },
        {
            "id": 2, "type": "SaveImage", "pos": [450, 50], "size": [300, 300], "flags": {},
            "order": 1, "mode": 0, "properties": {}, "outputs": [],
            "inputs": [{"name": "images", "type": "IMAGE", "link": 1}],
            "widgets_values": ["browser"],
        },
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"]],
    "groups": [],
    "config": {},
    "extra": {},
}  # fmt: skip


def test_a_workflow_loads_without_a_word_and_runs(page: Page) -> None:
    page.load(WORKFLOW)
    assert page.troubles() == []
    assert page.prompt()["2"]["inputs"]["images"] == ["1", 0]
    history = page.queue()
    assert history["status"]["status_str"] == "success"


def test_an_unknown_node_is_a_trouble(page: Page) -> None:
    unknown = WORKFLOW["nodes"][0] | {"type": "NoSuchNode"}
    page.load(WORKFLOW | {"nodes": [unknown, WORKFLOW["nodes"][1]]})
    assert page.troubles()


def test_the_page_knows_the_pack(page: Page, node_ids: list[str]) -> None:
    known = page.run("() => Object.keys(LiteGraph.registered_node_types)")
    assert set(node_ids) <= set(known)


def test_each_renderer_is_the_one_asked_for(page: Page) -> None:
    page.load(WORKFLOW)
    assert bool(page.page.locator("[data-node-id]").count()) is page.vue


def test_a_workflow_of_an_earlier_version_is_told_what_has_changed(pages: Pages) -> None:
    page = pages.cleared(vue=False)
    older = {
        **WORKFLOW["nodes"][0],
        "type": "FacetTurnaroundSheet",
        "inputs": [{"name": "model", "type": "MODEL", "link": None}],
        "outputs": [],
        "widgets_values": [],
    }
    page.load(WORKFLOW | {"nodes": [older, WORKFLOW["nodes"][1]], "links": []})
    told = page.page.locator(TOAST, has_text="earlier version of Facet")
    told.wait_for()
    assert "these nodes have changed since: Facet Turnaround Sheet. Models" in told.inner_text()
