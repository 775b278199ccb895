"""The expression editor in the page: a face that is pulled, stepped, placed and kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from facet.engine.generate.expression.presets import PRESETS
from facet.engine.generate.expression.table import BY_NAME, HAND_PLACED
from harness.browser import MAKE_AND_CONNECT, Page
from harness.comfy_server import ComfyServer

pytestmark = pytest.mark.browser

NODES = (
    f"([person, detector]) => {{{MAKE_AND_CONNECT}"
    """
    app.canvas.setGraph(app.graph);
    app.graph.clear();
    app.graph.id = crypto.randomUUID();
    const models = make("FacetDemoModels", 0);
    const picture = make("FacetDemoPicture", 300, { person });
    const editor = make("FacetExpressionEditor", 640);
    connect(picture, "image", editor);
    if (detector) connect(models, "judge", editor);
    app.canvas.ds.offset = [-420, -60];
    app.canvas.ds.scale = 0.7;
    app.canvas.setDirty(true, true);
    return String(editor.id);
}"""
)
BATCH = (
    f"([first, second]) => {{{MAKE_AND_CONNECT}"
    """
    app.canvas.setGraph(app.graph);
    app.graph.clear();
    app.graph.id = crypto.randomUUID();
    const models = make("FacetDemoModels", 0);
    const pictures = [first, second].map((person) => make("FacetDemoPicture", 300, { person }));
    const batch = make("ImageBatch", 500);
    const editor = make("FacetExpressionEditor", 800);
    connect(pictures[0], "image", batch, "image1");
    connect(pictures[1], "image", batch, "image2");
    batch.connect(0, editor, editor.inputs.findIndex((slot) => slot.name === "image"));
    connect(models, "judge", editor);
    app.canvas.ds.offset = [-580, -60];
    app.canvas.ds.scale = 0.7;
    app.canvas.setDirty(true, true);
    return String(editor.id);
}"""
)
SHOWN = "document.querySelector('.facet-expression .stage > img').src"


def wait_for(page: Page, condition: str) -> None:
    page.page.wait_for_function(f"() => {condition}")


def begin(page: Page, person: int, detector: bool = True, second: int | None = None) -> str:
    """A graph with the editor in it, run by its own button; the node's id.

    second: another person, whose picture comes after the first in a batch.
    """
    graph = (NODES, [person, detector]) if second is None else (BATCH, [person, second])
    node: str = page.run(*graph)
    wait_for(page, "document.querySelector('.facet-expression [data-action=\"run\"]')")
    in_view(page)
    page.page.locator('.facet-expression [data-action="run"]').click()
    wait_for(page, "document.querySelector('.facet-expression .stage')?.offsetHeight > 40")
    in_view(page)
    return node


def in_view(page: Page) -> None:
    """Has the canvas show the panel from its head on."""
    page.settle()
    page.run(
        """() => {
            const panel = document.querySelector(".facet-expression").getBoundingClientRect();
            app.canvas.ds.offset[1] -= (panel.top - 60) / app.canvas.ds.scale;
            app.canvas.setDirty(true, true);
        }"""
    )
    page.settle()


def values(page: Page, node: str) -> dict[str, Any]:
    """The node's widgets as they would be queued, and each of its sliders; those at rest left out.

    All sliders and the points are in one widget.
    """
    inputs: dict[str, Any] = page.prompt()[node]["inputs"]
    edits = json.loads(inputs.pop("face_edits") or "{}")
    inputs |= edits.pop("sliders", {}) | edits
    return {name: value for name, value in inputs.items() if value not in (0, "", False)}


def type_edits(page: Page, node: str, text: str) -> None:
    """What the panel keeps, put there by somebody else."""
    page.run(
        """([id, text]) => {
            const { widgets } = app.graph.getNodeById(id);
            const widget = widgets.find(({ name }) => name === "face_edits");
            widget.value = text;
            widget.callback?.(text);
        }""",
        [node, text],
    )


def centre(page: Page, handle: str) -> tuple[float, float]:
    box = page.page.locator(f'.facet-expression [data-handle="{handle}"]').bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pull(page: Page, handle: str, across: float, down: float) -> None:
    """Takes a point and drags it by so many pixels of the screen."""
    x, y = centre(page, handle)
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    for step in range(1, 6):
        page.page.mouse.move(x + across * step / 5, y + down * step / 5)
    page.page.mouse.up()


def test_a_corner_of_the_mouth_is_pulled_and_the_widgets_the_picture_and_the_run_follow(
    page: Page, server: ComfyServer
) -> None:
    page.messages.clear()
    node = begin(page, 3)
    before, place = (
        page.run(f"() => {SHOWN}"),
        page.run("(id) => [...app.graph.getNodeById(id).pos]", node),
    )
    pull(page, "mouth_corner_l", 14, -10)
    wait_for(page, f"{SHOWN} !== {json.dumps(before)}")
    pulled = values(page, node)
    assert pulled["smile_l"] > 0.1
    assert pulled["smile_r"] == pulled["smile_l"], "the other side does not follow"
    # The node has stayed where it was: only the face was dragged.
    assert page.run("(id) => [...app.graph.getNodeById(id).pos]", node) == place

    # With Alt, one side alone; by key, a step further.
    page.page.keyboard.down("Alt")
    pull(page, "brow_outer_r", 0, -4)
    page.page.keyboard.up("Alt")
    page.page.keyboard.press("ArrowUp")
    after = values(page, node)
    assert after["brow_outer_r"] > 0.1
    assert after.keys() - pulled.keys() >= {"brow_outer_r"}
    label = page.page.locator(".facet-expression .stage .label").inner_text()
    assert label.startswith("Outer brow, right: Outer brow 0.")
    page.page.keyboard.press("Control+z")
    wait_for(page, "app.graph.nodes.length === 3")
    page.settle()
    undone = values(page, node)
    assert 0 < undone["brow_outer_r"] < after["brow_outer_r"]
    assert undone["smile_l"] == after["smile_l"]
    after = undone

    saved = page.saved()
    history = page.queue()
    assert history["status"]["status_str"] == "success"
    page.settle()
    assert page.troubles() == []

    page.run("() => app.graph.clear()")
    page.load(saved)
    wait_for(page, "document.querySelectorAll('.facet-expression .hold.moved').length")
    assert values(page, node) == after


def test_expressions_are_taken_weakened_added_and_put_to_rest(page: Page) -> None:
    node = begin(page, 4)
    plain = page.run(f"() => {SHOWN}")
    page.page.locator('.facet-expression [data-preset="surprised"]').click()
    wait_for(page, "/Surprised/.test(document.querySelector('.facet-expression .head').innerText)")
    assert values(page, node)["preset"] == "surprised"
    wait_for(page, f"{SHOWN} !== {json.dumps(plain)}")

    strength = page.page.locator(".facet-expression [data-strength]")
    strength.focus()
    page.page.keyboard.press("Home")
    wait_for(page, f"{SHOWN} === {json.dumps(plain)}")
    page.page.keyboard.press("End")
    assert values(page, node)["strength"] == 1.5

    page.page.locator('.facet-expression [data-preset="wink"]').click(modifiers=["Shift"])
    added = values(page, node)
    assert added["preset"] == "surprised"
    assert added["smile_l"] > 0

    # A slider shows the sum, and its widget keeps what was added to the preset.
    page.page.locator('.facet-expression [data-region="jaw"]').click()
    slider = page.page.locator('.facet-expression [data-slider="jaw_open"]')
    jaw = min(1.0, 1.5 * PRESETS["surprised"]["jaw_open"])
    assert float(slider.input_value()) == pytest.approx(jaw, abs=0.01)
    slider.focus()
    page.page.keyboard.press("Home")
    page.page.keyboard.press("Tab")
    assert values(page, node)["jaw_open"] == pytest.approx(BY_NAME["jaw_open"].low - jaw, abs=0.01)

    page.page.locator('.facet-expression [data-action="reset"]').click()
    wait_for(page, "document.querySelectorAll('.facet-expression .hold.moved').length === 0")
    assert not [name for name in values(page, node) if name.endswith(("_l", "_r"))]
    assert values(page, node)["preset"] == "own sliders"


def test_what_the_panel_cannot_read_is_at_rest_and_replaced_by_a_pull(page: Page) -> None:
    node = begin(page, 4)
    page.messages.clear()
    page.page.locator('.facet-expression [data-region="jaw"]').click()
    shown = "Number(document.querySelector('.facet-expression [data-slider=\"jaw_open\"]').value)"
    for text in ("{", "[[0.1, 0.2]]", '{"sliders": {"jaw_open": "wide"}}'):
        type_edits(page, node, '{"sliders": {"jaw_open": 0.5}}')
        wait_for(page, f"{shown} === 0.5")
        type_edits(page, node, text)
        wait_for(page, f"{shown} === 0")
    pull(page, "chin", 0, 10)
    pulled = values(page, node)
    assert pulled["jaw_open"] > 0.05 and "points" not in pulled
    assert page.queue()["status"]["status_str"] == "success"
    assert page.troubles() == []


def test_what_was_can_be_seen_for_as_long_as_the_button_is_held(page: Page) -> None:
    begin(page, 2)
    box = page.page.locator('.facet-expression [data-action="before"]').bounding_box()
    assert box is not None
    page.page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.page.mouse.down()
    assert page.page.locator(".facet-expression .stage.before .mark").is_visible()
    page.page.mouse.up()
    assert page.page.locator(".facet-expression .stage.before").count() == 0


def test_a_far_turn_is_announced_and_the_handle_stays_where_pixels_go(page: Page) -> None:
    node = begin(page, 2)
    foot = page.page.locator(".facet-expression .foot")
    pull(page, "head", 300, 0)
    assert values(page, node)["head_yaw"] == pytest.approx(8.0, abs=0.05)
    assert "new image" not in foot.inner_text()
    page.page.locator('.facet-expression .tabs [data-region="head"]').click()
    page.page.locator('.facet-expression [data-slider="head_yaw"]').fill("40")
    assert values(page, node)["head_yaw"] == 40
    foot.get_by_text("generates a new image in the nearest view").wait_for()


def test_each_picture_of_a_batch_can_be_looked_at(page: Page) -> None:
    node = begin(page, 3, second=4)
    head = page.page.locator(".facet-expression .head")
    assert "image 1 of 2" in head.inner_text()
    first = page.run(f"() => {SHOWN}")
    page.page.locator('.facet-expression .head [aria-label="Next image"]').click()
    wait_for(page, f"{SHOWN} !== {json.dumps(first)}")
    line = "document.querySelector('.facet-expression .head').innerText"
    wait_for(page, f"/image 2 of 2/.test({line})")
    second = page.run(f"() => {SHOWN}")
    page.page.locator('.facet-expression [data-preset="sad"]').click()
    wait_for(page, f"{SHOWN} !== {json.dumps(second)}")
    assert values(page, node)["preset"] == "sad"


def test_twelve_points_are_placed_where_there_is_no_detector(page: Page) -> None:
    node = begin(page, 5, detector=False)
    assert page.page.locator(".facet-expression .hold").count() == 0
    assert "No face found" in page.page.locator(".facet-expression .foot").inner_text()
    page.page.locator('.facet-expression [data-action="place_points"]').click()
    layer = page.page.locator(".facet-expression .placing")
    box = layer.bounding_box()
    assert box is not None
    points = {
        33: (0.36, 0.45), 159: (0.41, 0.41), 133: (0.46, 0.45), 362: (0.54, 0.45),
        386: (0.59, 0.41), 263: (0.64, 0.45), 105: (0.41, 0.36), 334: (0.59, 0.36),
        1: (0.5, 0.52), 61: (0.45, 0.6), 291: (0.55, 0.6), 152: (0.5, 0.72),
    }  # fmt: skip
    for number, one in enumerate(HAND_PLACED, 1):
        asked = page.page.locator(".facet-expression .foot").inner_text()
        assert f"Point {number} of 12" in asked
        x, y = points[one.point]
        page.page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        page.settle()
    wait_for(page, "document.querySelectorAll('.facet-expression .hold').length > 20")
    kept = values(page, node)["points"]
    assert kept[0] == pytest.approx(points[33], abs=0.01)

    pull(page, "chin", 0, 10)
    assert values(page, node)["jaw_open"] > 0.05
    assert page.queue()["status"]["status_str"] == "success"
    wait_for(page, "/^data:/.test(" + SHOWN + ")")
    assert "No face" not in page.page.locator(".facet-expression .foot").inner_text()

    # They can be placed again; given up, those that are there hold.
    page.settle()
    again = page.page.locator('.facet-expression [data-action="place_points"]')
    again.click()
    wait_for(page, "!document.querySelector('.facet-expression .hold')")
    assert "Point 1 of 12" in page.page.locator(".facet-expression .foot").inner_text()
    page.page.keyboard.press("Escape")
    wait_for(page, "document.querySelectorAll('.facet-expression .hold').length > 20")
    assert values(page, node)["points"] == kept


def test_an_expression_is_kept_as_a_preset_of_ones_own(page: Page, server: ComfyServer) -> None:
    node = begin(page, 4)
    name = f"brows up {'vue' if page.vue else 'canvas'}"
    pull(page, "brow_inner_r", 0, -12)
    raised = values(page, node)["brow_inner_l"]
    page.page.locator('.facet-expression [data-action="keep"]').click()
    page.page.keyboard.type(name)
    page.page.keyboard.press("Enter")
    wait_for(page, f"document.querySelector('.facet-expression [data-preset=\"{name}\"]')")
    page.settle()
    kept = values(page, node)
    assert kept["preset"] == name
    assert "brow_inner_l" not in kept
    file = server.server.base / "user" / "facet" / "expressions" / f"{name}.json"
    assert json.loads(file.read_text("utf-8"))[name]["sliders"]["brow_inner_l"] == raised
    assert page.queue()["status"]["status_str"] == "success"
