"""Two instances of one subgraph: what is decided and shown in one stays out of the other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browser.test_curator_page import CELLS, cell, character, key, queue
from browser.test_expression_page import in_view

from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from harness.browser import MAKE_AND_CONNECT, Page
from harness.comfy_server import ComfyServer

pytestmark = pytest.mark.browser

# `twice` puts a node into a subgraph and makes a second instance of that; each of `sources` gives
# one of them what the node's input `name` needs.
TWICE = f"""{MAKE_AND_CONNECT}
    const twice = (inner, name, sources) => {{
        const {{ node }} = app.graph.convertToSubgraph(new Set([inner]));
        const twin = LiteGraph.createNode(node.type);
        app.graph.add(twin);
        node.pos = [500, 80];
        twin.pos = [500, 500];
        sources.forEach((source, number) => connect(source, name, [node, twin][number]));
        return [node, twin];
    }};
    const idsOf = (hosts) => hosts.map((host) => `${{host.id}}:${{host.subgraph.nodes[0].id}}`);
"""
CURATORS = (
    f"(names) => {{{TWICE}"
    """
    const loaders = names.map((name, number) =>
        make("FacetDatasetLoader", -400 * number, { folder: `facet/${name}/dataset/flat` }));
    const curator = make("FacetDatasetCurator", 480);
    connect(loaders[0], "character", curator);
    return idsOf(twice(curator, "character", loaders));
}"""
)
# The steps are on the instances themselves, and differ.
TRAINERS = (
    f"([name, steps]) => {{{TWICE}"
    """
    const models = make("FacetDemoModels", 0);
    const picture = make("FacetDemoPicture", 300);
    const character = make("FacetCharacter", 600, { name, trigger: "zqx" });
    const captions = make("FacetCaptionWriter", 900);
    const trainer = make("FacetLoraTrainer", 1200, { rank: 2, checkpoint_every: 20 });
    connect(models, "studio", trainer);
    connect(picture, "image", character);
    connect(character, "character", captions);
    connect(captions, "character", trainer);
    const hosts = twice(trainer, "character", [captions, captions]);
    connect(models, "studio", hosts[1]);
    const { subgraph } = hosts[0];
    const [inner] = subgraph.nodes;
    // Under one name the longer run would take up the shorter one, when that is trained first.
    for (const [name, type] of [["steps", "INT"], ["run_name", "STRING"]]) {
        const slot = inner.inputs.find((one) => one.widget?.name === name);
        subgraph.addInput(name, type).connect(slot, inner);
    }
    for (const [number, host] of hosts.entries()) {
        host.widgets.find((one) => one.name === "steps").value = steps[number];
        host.widgets.find((one) => one.name === "run_name").value = `run of ${number}`;
    }
    return idsOf(hosts);
}"""
)
EDITORS = (
    f"(people) => {{{TWICE}"
    """
    const models = make("FacetDemoModels", -300);
    const pictures = people.map((person) => make("FacetDemoPicture", 0, { person }));
    const editor = make("FacetExpressionEditor", 480);
    connect(pictures[0], "image", editor);
    connect(models, "judge", editor);
    const hosts = twice(editor, "image", pictures);
    connect(models, "judge", hosts[1]);
    return idsOf(hosts);
}"""
)
OPEN = """(id) => {
    app.canvas.setGraph(app.graph);
    const host = app.graph.getNodeById(id.split(":")[0]);
    app.canvas.openSubgraph(host.subgraph, host);
    const [inner] = host.subgraph.nodes;
    app.canvas.ds.scale = 0.8;
    app.canvas.ds.offset = [300 - inner.pos[0], 100 - inner.pos[1]];
    app.canvas.setDirty(true, true);
}"""


def look_into(page: Page, instance: str) -> None:
    """Open the subgraph from one of the nodes that stand for it."""
    page.run(OPEN, instance)
    page.settle()


def curation(page: Page, instance: str) -> dict[str, Any]:
    """What the instance would be told of decisions."""
    shots: dict[str, Any] = json.loads(page.prompt()[instance]["inputs"]["curation"] or "{}")
    return shots.get("shots", {})


def shown(page: Page) -> set[str]:
    cells = page.page.locator(CELLS)
    return {str(one.get_attribute("data-hash")) for one in cells.all()}


def test_each_curator_has_its_own_pictures_and_decisions(page: Page, server: ComfyServer) -> None:
    names = [f"{name}_{'vue' if page.vue else 'canvas'}" for name in ("One", "Other")]
    both = [character(name, 6) for name in names]
    for name, made in zip(names, both, strict=True):
        export(made, server.output / "facet" / name / "dataset" / "flat", Layout.FLAT)
    instances = page.run(CURATORS, names)
    queue(page)
    for number in (0, 1):
        look_into(page, instances[number])
        page.page.wait_for_selector(CELLS)
        assert shown(page) == {shot.hash for shot in both[number].pictures}
        cell(page, both[number].pictures[number + 1]).click()
        page.page.keyboard.press("x")
    expected = [{key(both[number].pictures[number + 1]): {"include": False}} for number in (0, 1)]
    assert [curation(page, one) for one in instances] == expected

    # What is taken back in one is not what was decided in the other.
    look_into(page, instances[0])
    page.page.wait_for_selector(CELLS)
    page.page.locator(".facet-curator .scroll").focus()
    page.page.keyboard.press("Control+z")
    page.page.keyboard.press("Control+Shift+z")
    assert [curation(page, one) for one in instances] == expected

    queue(page)
    saved = page.saved()
    page.forget()
    page.load(saved)
    for number in (1, 0):
        look_into(page, instances[number])
        page.page.wait_for_selector(CELLS)
        assert shown(page) == {shot.hash for shot in both[number].pictures}
        assert "5 of 6 included" in page.page.locator(".facet-curator .head").inner_text()
    assert [curation(page, one) for one in instances] == expected
    assert page.troubles() == []


def test_each_trainer_has_its_own_run(page: Page) -> None:
    steps = [3, 5]
    name = f"Twice {'vue' if page.vue else 'canvas'}"
    instances = page.run(TRAINERS, [name, steps])
    assert [page.prompt()[one]["inputs"]["steps"] for one in instances] == steps
    look_into(page, instances[0])
    queue(page)

    def told() -> None:
        for number in (0, 1, 0):
            look_into(page, instances[number])
            page.page.wait_for_function(
                "(text) => document.querySelector('.facet-training .head b').textContent === text",
                arg=f"Step {steps[number]}",
            )
            assert page.page.locator(".facet-training").count() == 1

    told()
    # A page that knows nothing but the workflow finds each run in its folder.
    saved = page.saved() | {"id": "5ee2b7a2-0000-4000-8000-00000000000" + str(int(page.vue))}
    page.forget()
    page.load(saved)
    told()
    assert page.troubles() == []


def test_the_face_is_found_in_each_instance(page: Page) -> None:
    instances = page.run(EDITORS, [3, 4])
    find = page.page.locator('.facet-expression [data-action="run"]')
    faces = []
    for instance in instances:
        look_into(page, instance)
        assert page.run("() => !document.querySelector('.facet-expression .stage')?.offsetHeight")
        in_view(page)
        find.click()
        page.page.wait_for_function(
            """(known) => {
                const stage = document.querySelector(".facet-expression .stage");
                const src = stage?.querySelector("img")?.src;
                return stage?.offsetHeight > 40 && src && !known.includes(src);
            }""",
            arg=faces,
        )
        faces.append(page.run("() => document.querySelector('.facet-expression .stage img').src"))
    look_into(page, instances[0])
    page.page.wait_for_function(
        "(src) => document.querySelector('.facet-expression .stage img').src === src",
        arg=faces[0],
    )
    assert page.troubles() == []
