"""The curator's gallery, driven in the page."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.engine.store.captions_by_hand import captions_by_hand
from harness.browser import MAKE_AND_CONNECT, Page
from harness.comfy_server import ComfyServer

pytestmark = pytest.mark.browser

NODES = (
    f"([name]) => {{{MAKE_AND_CONNECT}"
    """
    app.canvas.setGraph(app.graph);
    app.graph.clear();
    app.graph.id = crypto.randomUUID();
    const loader = make("FacetDatasetLoader", 0, { folder: `facet/${name}/dataset/flat` });
    const curator = make("FacetDatasetCurator", 480);
    const exporter = make("FacetDatasetExporter", 1340, { layout: "flat", folder: "after" });
    connect(loader, "character", curator);
    connect(curator, "character", exporter);
    app.canvas.ds.offset = [-380, 20];
    app.canvas.ds.scale = 1;
    app.canvas.setDirty(true, true);
    return String(curator.id);
}"""
)
CELLS = ".facet-curator .cell"
VIEWS = ("front", "profile_left", "back")
EXPRESSIONS = ("smile", "sad")


def character(name: str, count: int) -> Character:
    """Small pictures of noise; every tenth caption lacks the trigger, every ninth is left out."""
    rng = random.Random(name)
    shots = []
    for number in range(count):
        tags = Tags(
            "medium", VIEWS[number % 3], EXPRESSIONS[number % 2], background=f"place {number}"
        )
        who = "somebody" if number % 10 == 1 else "zqx person"
        image = torch.rand(48, 48, 3, generator=torch.Generator().manual_seed(rng.randrange(2**40)))
        shots.append(
            Shot(
                image,
                Provenance("imported"),
                caption=", ".join([who, *tags.phrases()]),
                tags=tags,
                include=number % 9 != 8,
            )
        )
    return Character(name, "zqx", "person", shots[0], tuple(shots[1:]))


def begin(page: Page, server: ComfyServer, kind: str, count: int) -> tuple[str, Character, Path]:
    """A graph whose gallery shows a new character: the node's id, the character, its folder."""
    name = f"{kind}_{'vue' if page.vue else 'canvas'}"
    made, folder = character(name, count), server.output / "facet" / name
    export(made, folder / "dataset" / "flat", Layout.FLAT)
    node = page.run(NODES, [name])
    page.settle()
    page.messages.clear()
    queue(page)
    page.page.wait_for_selector(CELLS)
    return str(node), made, folder


def queue(page: Page) -> None:
    assert page.queue()["status"]["status_str"] == "success"
    page.settle()


def cell(page: Page, shot: Shot) -> Any:
    return page.page.locator(f'{CELLS}[data-hash="{shot.hash}"]')


def decided(page: Page, node: str) -> dict[str, Any]:
    """What the widget holds, by the first digits of the pictures' hashes."""
    text = page.prompt()[node]["inputs"]["curation"]
    shots: dict[str, Any] = json.loads(text or "{}").get("shots", {})
    return shots


def wait_for(page: Page, condition: str) -> None:
    page.page.wait_for_function(f"() => {condition}")


def kept(page: Page) -> None:
    """Waits until what was decided is kept beside the dataset."""
    with page.page.expect_response("**/facet/curator/keep"):
        pass


def head(page: Page) -> str:
    return str(page.page.locator(".facet-curator .head").inner_text())


def key(shot: Shot) -> str:
    return shot.hash[:16]


def test_what_is_decided_holds_after_the_run_and_after_a_reload(
    page: Page, server: ComfyServer
) -> None:
    node, made, folder = begin(page, server, "Decided", 12)
    shots, keys = made.pictures, page.page.keyboard
    assert "11 of 12 included" in head(page)

    # One is left out by key, one by button; both weigh more; an excluded one is taken in.
    cell(page, shots[2]).click()
    keys.press("x")
    cell(page, shots[8]).click()
    keys.press("i")
    keys.press("ArrowRight")
    keys.press("Shift+ArrowRight")
    keys.press("+")
    page.page.locator('.facet-curator [data-decide="out"]').click()
    assert decided(page, node) == {
        key(shots[2]): {"include": False},
        key(shots[8]): {"include": True},
        key(shots[9]): {"weight": 1.5, "include": False},
        key(shots[10]): {"weight": 1.5, "include": False},
    }
    # Undo is the gallery's own wherever in it the focus is, and leaves the graph alone.
    gallery = page.page.locator(".facet-curator").element_handle()
    for place in (".go", ".scroll"):
        page.page.locator(f".facet-curator {place}").focus()
        keys.press("Control+z")
        page.settle()
    assert gallery.evaluate("(it) => it.isConnected")
    assert decided(page, node).keys() == {key(shots[2]), key(shots[8])}
    keys.press("Control+Shift+z")
    keys.press("Delete")
    assert page.run("(id) => Boolean(app.graph.getNodeById(id))", node)

    # A caption by hand, and a tag that the caption of another one follows.
    cell(page, shots[4]).click()
    keys.press("e")
    keys.type("zqx person by hand")
    keys.press("Enter")
    cell(page, shots[3]).click()
    page.page.locator('.facet-curator [data-axis="view"] select').select_option("profile_right")
    caption = page.page.locator(".facet-curator textarea")
    assert "right profile" in caption.input_value()
    kept(page)
    choices = decided(page, node)
    assert choices[key(shots[4])] == {"caption": "zqx person by hand"}
    assert choices[key(shots[3])] == {"tags": {"view": "profile_right"}}
    assert captions_by_hand(folder) == {shots[4].hash: "zqx person by hand"}
    assert json.loads((folder / "curation.json").read_text("utf-8"))["shots"] == choices

    assert not (folder / "dataset" / "after").exists()
    page.page.locator(".facet-curator .go").click()
    wait_for(page, "document.querySelector('.facet-curator .go[aria-pressed=true]')")
    page.page.wait_for_timeout(500)
    queue(page)
    texts = {
        path.stem.split("_")[1]: path.read_text("utf-8")
        for path in (folder / "dataset" / "after").glob("*.txt")
    }
    assert texts.keys() == {key(shot) for n, shot in enumerate(shots) if n not in (2, 9, 10)}
    assert texts[key(shots[4])] == "zqx person by hand"
    assert "right profile" in texts[key(shots[3])]
    assert page.troubles() == []

    saved = page.saved()
    page.forget()
    page.load(saved)
    page.page.wait_for_selector(CELLS)
    assert decided(page, node) == choices
    assert "9 of 12 included" in head(page)
    page.page.locator('.facet-curator [data-filter="show"]').select_option("left_out")
    page.settle()
    hashes = [one.get_attribute("data-hash") for one in page.page.locator(CELLS).all()]
    assert hashes == [shots[n].hash for n in (2, 9, 10)]


def test_two_hundred_pictures_scroll_with_a_few_dozen_cells(
    page: Page, server: ComfyServer
) -> None:
    _, made, _ = begin(page, server, "Many", 200)
    count = page.run(f"() => document.querySelectorAll('{CELLS}').length")
    assert 8 <= count <= 48
    nodes = page.run("() => document.querySelectorAll('.facet-curator *').length")
    assert nodes < 700
    seen = set()
    for share in (0, 0.25, 0.5, 0.75, 1):
        page.run(
            """(share) => {
                const list = document.querySelector(".facet-curator .scroll");
                list.scrollTop = share * (list.scrollHeight - list.clientHeight);
            }""",
            share,
        )
        page.settle()
        shown = page.page.locator(CELLS).all()
        there = [str(one.get_attribute("data-hash")) for one in shown]
        assert len(there) <= 48
        seen.update(there)
        # What is in sight is drawn, with its picture, in the dataset's order.
        order = [shot.hash for shot in made.pictures]
        places = sorted(map(order.index, there))
        assert places == list(range(places[0], places[-1] + 1))
        wait_for(
            page, f"[...document.querySelectorAll('{CELLS} img')].every((i) => i.naturalWidth)"
        )
    assert made.shots[-1].hash in seen

    # By key from one end to the other: the list goes along.
    page.page.locator(CELLS).last.click()
    page.page.keyboard.press("Home")
    assert cell(page, made.source).get_attribute("aria-selected") == "true"
    page.page.keyboard.press("End")
    assert cell(page, made.shots[-1]).get_attribute("aria-selected") == "true"
    page.page.keyboard.press("Control+a")
    assert "200" in page.page.locator(".facet-curator .title").inner_text()

    # A filter leaves what fits, and says so where nothing does.
    page.page.locator('.facet-curator [data-filter="view"]').select_option("back")
    page.settle()
    backs = {shot.hash for shot in made.pictures if shot.tags.view == "back"}
    shown = {str(one.get_attribute("data-hash")) for one in page.page.locator(CELLS).all()}
    assert shown and shown <= backs
    page.page.locator(".facet-curator .search").fill("nothing like this")
    page.settle()
    assert page.page.locator(CELLS).count() == 0
    empty = page.page.locator(".facet-curator .left .empty")
    assert empty.inner_text() == "No images match the filter."


def test_a_finding_offers_its_fix_and_one_press_mends_them_all(
    page: Page, server: ComfyServer
) -> None:
    node, made, _ = begin(page, server, "Mended", 24)
    lacking = [shot for shot in made.dataset if "zqx" not in shot.caption]
    number = int(head(page).split("/")[0])
    finding = page.page.locator('.facet-curator [data-kind="trigger_missing"]')
    finding.locator(".kind").click()
    page.settle()
    hashes = {str(one.get_attribute("data-hash")) for one in page.page.locator(CELLS).all()}
    assert hashes == {shot.hash for shot in lacking}
    cell(page, lacking[0]).click()
    finding.locator(".fix").click()
    assert decided(page, node).keys() == {key(lacking[0])}
    page.page.keyboard.press("Escape")
    finding.locator(".fix").click()
    choices = decided(page, node)
    assert choices.keys() == {key(shot) for shot in lacking}
    assert all(choice["caption"].count("zqx") == 1 for choice in choices.values())
    assert finding.count() == 0
    assert page.page.locator(".facet-curator .number.stale").count() == 1
    queue(page)
    assert finding.count() == 0
    assert int(head(page).split("/")[0]) > number
    assert page.page.locator(".facet-curator .number.stale").count() == 0


def test_an_open_picture_is_turned_and_left_out_by_key(page: Page, server: ComfyServer) -> None:
    node, made, _ = begin(page, server, "Large", 6)
    cell(page, made.source).dblclick()
    viewer = page.page.locator(".facet-viewer[open]")
    assert viewer.count() == 1
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("x")
    wait_for(page, "document.querySelector('.facet-viewer img').naturalWidth === 48")
    page.page.keyboard.press("Escape")
    assert viewer.count() == 0
    assert decided(page, node) == {key(made.shots[0]): {"include": False}}
    page.page.keyboard.press("Delete")
    assert page.run("(id) => Boolean(app.graph.getNodeById(id))", node)
