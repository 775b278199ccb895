"""The grid of shots in the shooting nodes: over real shots, and over grids as the server tells."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from harness.browser import MAKE_AND_CONNECT, Page
from harness.comfy_server import ComfyServer

pytestmark = pytest.mark.browser

NODES = (
    f"([kind, name]) => {{{MAKE_AND_CONNECT}"
    """
    app.canvas.setGraph(app.graph);
    app.graph.clear();
    app.graph.id = crypto.randomUUID();
    const models = make("FacetDemoModels", 0);
    const picture = make("FacetDemoPicture", 300);
    const character = make("FacetCharacter", 600, { name, trigger: "zqx" });
    const judge = make("FacetJudge", -400, { tries: 1 });
    const studio = smallStudio(models, -800);
    const shots = make(kind, 900);
    connect(studio, "studio", shots);
    connect(judge, "judge", shots);
    connect(picture, "image", character);
    connect(character, "character", shots);
    app.canvas.ds.offset = [-700, 0];
    app.canvas.ds.scale = 0.6;
    app.canvas.setDirty(true, true);
    return String(shots.id);
}"""
)
TELL = """async ([message, detail]) => {
    const { api } = await import("/scripts/api.js");
    api.dispatchEvent(new CustomEvent(message, { detail }));
}"""
LISTEN = """async () => {
    const { api } = await import("/scripts/api.js");
    window.sampled = [];
    window.previews = [];
    api.addEventListener("facet.shots.preview", ({ detail }) => window.previews.push(detail));
    api.addEventListener("facet.shots", ({ detail }) => {
        const now = detail.cells.filter((cell) => cell.state === "sampling");
        window.sampled.push(...now.map((cell) => cell.index));
    });
}"""
PREVIEWS = """async (method) => {
    await app.extensionManager.setting.set("Comfy.Execution.PreviewMethod", method);
}"""
PICTURE = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9cc`\0\0"
    b"\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xaeB`\x82"
)


def cell(index: int, state: str = "accepted", **more: Any) -> dict[str, Any]:
    """One shot as the server tells of it."""
    made = state in ("accepted", "failed")
    return {
        "index": index,
        "name": f"front view, place {index}",
        "tags": {"view": "front", "framing": "close_up"},
        "decision": {"state": "", "roll": 0, "hash": ""},
        "state": state,
        "key": f"{index:024x}" if made else "",
        "hash": f"{index:064x}" if made else "",
        "size": [512, 768] if made else None,
        "attempt": 1,
        "tries": 1,
        "scores": [
            {"gate": "view", "value": -3.2, "threshold": 12.0, "passed": True, "note": ""},
            {"gate": "identity", "value": 0.81, "threshold": 0.5, "passed": True, "note": ""},
        ]
        if made
        else [],
        "picture": "",
        "revision": 1,
        **more,
    }


def grid(node: str, cells: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A whole grid as the server tells of it."""
    return {
        "node": node,
        "workflow": "",
        "folder": "facet/Told/shots",
        "grid": None,
        "sheet": None,
        "state": "finished",
        "note": "",
        "total": len(cells),
        "after": 0,
        "revision": 1,
        "cells": cells,
        **more,
    }


def states(page: Page) -> list[str]:
    shown = page.page.locator(".facet-shots .cell").all()
    return [str(one.get_attribute("class")).split()[1] for one in shown]


def pictures(page: Page) -> list[str]:
    """The addresses of the thumbnails: each names one picture for ever."""
    shown = page.page.locator(".facet-shots .cell img").all()
    return [str(one.get_attribute("src")) for one in shown]


def press(page: Page, index: int, key: str) -> None:
    """A click on a shot, and a key."""
    page.run("(index) => document.querySelectorAll('.facet-shots .cell')[index].click()", index)
    page.page.keyboard.press(key)


def wait_for(page: Page, condition: str) -> None:
    page.page.wait_for_function(f"() => {condition}")


def run(page: Page) -> list[int]:
    """Runs what is on the page; the numbers of the shots that were sampled for it."""
    page.run("() => { window.sampled = []; }")
    assert page.queue()["status"]["status_str"] == "success"
    wait_for(page, "/kept/.test(document.querySelector('.facet-shots .head b').textContent)")
    page.settle()
    sampled: list[int] = page.run("() => [...new Set(window.sampled)]")
    return sampled


def test_shots_come_and_what_is_decided_holds_after_a_reload_too(
    page: Page, server: ComfyServer
) -> None:
    name = f"Grid {'vue' if page.vue else 'canvas'}"
    node = page.run(NODES, ["FacetTurnaroundSheet", name])
    page.settle()
    page.messages.clear()
    page.run(LISTEN)
    page.run(PREVIEWS, "latent2rgb")
    assert run(page) == list(range(6))
    page.run(PREVIEWS, "default")
    previews = page.run("() => window.previews")
    assert previews
    assert all(one["picture"].startswith("data:image/jpeg;base64,") for one in previews)
    wait_for(
        page, "[...document.querySelectorAll('.facet-shots img')].every((i) => i.naturalWidth)"
    )
    first, shots = pictures(page), server.output / "facet" / name.replace(" ", "_") / "shots"
    assert len(set(first)) == len(list(shots.glob("*.png"))) == 6
    assert set(states(page)) <= {"accepted", "failed"}

    # One is left out with the mouse, another one made and a third one kept by key.
    page.page.locator(".facet-shots .cell").nth(1).click()
    page.page.locator('.facet-shots [data-action="drop"]').click()
    press(page, 2, "r")
    press(page, 3, "p")
    decisions = page.prompt()[node]["inputs"]["decisions"]
    assert page.saved()["nodes"][-1]["widgets_values"][-1] == decisions
    assert [one["state"] for one in json.loads(decisions).values()] == ["drop", "reroll", "pin"]

    assert run(page) == [2]
    second, saved = pictures(page), page.saved()
    assert [n for n in range(6) if first[n] != second[n]] == [2]
    assert [states(page)[n] for n in (1, 3)] == ["dropped", "pinned"]
    told = server.client.get(f"/facet/shots?workflow={saved['id']}")["grids"][0]
    asked = [one["decision"]["state"] for one in told["cells"]]
    assert asked == ["", "drop", "reroll", "pin", "", ""]

    # Taken back, the first is there again without sampling.
    press(page, 2, "u")
    assert run(page) == []
    assert pictures(page) == first
    assert page.troubles() == []

    page.forget()
    page.load(saved)
    wait_for(page, "document.querySelectorAll('.facet-shots .cell').length === 6")
    assert pictures(page) == first
    assert [states(page)[n] for n in (1, 3)] == ["dropped", "pinned"]

    # A page that knows nothing but the workflow finds them in the character's folder.
    page.run("() => app.graph.clear()")
    page.load(saved | {"id": "5ee2b7a2-0000-4000-8000-000000000001"})
    wait_for(page, "document.querySelectorAll('.facet-shots .cell').length === 6")
    assert pictures(page) == second


def test_two_hundred_shots_are_drawn_one_by_one(page: Page) -> None:
    page.page.route(
        "**/facet/shots/picture*",
        lambda route: route.fulfill(body=PICTURE, content_type="image/png"),
    )
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    node = page.run(NODES, ["FacetShotGenerator", "Told"])
    cells = [cell(index) if index < 120 else cell(index, "waiting") for index in range(200)]
    page.run(TELL, ["facet.shots", grid(node, cells, state="running")])
    wait_for(page, "document.querySelectorAll('.facet-shots .cell').length === 200")
    page.settle()
    loaded = [url for url in asked if "/facet/shots/picture" in url]
    assert 0 < len(loaded) < 60, "pictures out of sight are loaded"

    page.run(
        """() => {
            window.touched = new Set();
            new MutationObserver((records) => records.forEach((record) => window.touched.add(
                record.target.parentElement?.closest(".cell")?.dataset.index
                ?? record.target.dataset?.index)))
                .observe(document.querySelector(".facet-shots .cells"),
                    { subtree: true, childList: true, attributes: true, characterData: true });
        }"""
    )
    news = grid(node, [cell(120, "sampling", attempt=2)], state="running", after=1, revision=2)
    page.run(TELL, ["facet.shots", news])
    preview = {"node": node, "workflow": "", "index": 120, "step": 5, "steps": 20, "picture": ""}
    page.run(TELL, ["facet.shots.preview", preview])
    page.settle()
    assert page.run("() => [...window.touched].filter(Boolean)") == ["120"]
    head = page.page.locator(".facet-shots .head").inner_text()
    assert "120 of 200" in head
    assert "front · attempt 2 · step 5 of 20" in head
    page.page.unroute("**/facet/shots/picture*")


def test_every_state_has_a_word_and_a_shape_of_its_own(page: Page) -> None:
    node = page.run(NODES, ["FacetShotGenerator", "Told"])
    wrong = {"gate": "view", "value": 40.0, "threshold": 12.0, "passed": False, "note": "yaw +40°"}
    picture = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
    kinds = [
        cell(0, "accepted", key="", picture=picture),
        cell(1, "failed", key="", picture=picture, scores=[wrong], tries=3),
        cell(2, "retried", picture=picture, scores=[wrong]),
        cell(3, "sampling"),
        cell(4, "waiting"),
    ]
    page.run(TELL, ["facet.shots", grid(node, kinds, state="cancelled")])
    wait_for(page, "document.querySelectorAll('.facet-shots .cell').length === 5")
    shapes = [one.get_attribute("d") for one in page.page.locator(".facet-shots .mark path").all()]
    words = [one.inner_text() for one in page.page.locator(".facet-shots .state").all()]
    assert len(set(shapes)) == 5
    assert words == [
        "accepted",
        "failed \N{MULTIPLICATION SIGN}3",
        "retried",
        "sampling",
        "waiting",
    ]
    assert "cancelled" in page.page.locator(".facet-shots .head").inner_text()

    # By keys alone: to the failed one, pinned, enlarged, dropped there, and back.
    press(page, 0, "ArrowRight")
    page.page.keyboard.press("p")
    assert states(page)[1] == "pinned"
    label = page.page.locator('.facet-shots .cell[aria-selected="true"]').get_attribute(
        "aria-label"
    )
    assert label is not None
    assert "pinned" in label
    assert "yaw +40°" in label
    page.page.keyboard.press("Enter")
    assert page.page.locator(".facet-viewer[open]").count() == 1
    page.page.keyboard.press("d")
    page.page.keyboard.press("Escape")
    assert page.page.locator(".facet-viewer").count() == 0
    assert states(page)[1] == "dropped"
    # Delete is the grid's while it has the focus, and does not remove the node.
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("Delete")
    assert states(page)[0] == "dropped"
    assert page.run("(id) => Boolean(app.graph.getNodeById(id))", node)
