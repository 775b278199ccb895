"""The trainer node's panel: over a real training, and over courses as the server tells them."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from harness.browser import MAKE_AND_CONNECT, Page, Pages
from harness.comfy_server import ComfyServer

pytestmark = pytest.mark.browser

NODES = (
    f"(steps) => {{{MAKE_AND_CONNECT}"
    """
    const models = make("FacetDemoModels", 0);
    const picture = make("FacetDemoPicture", 300);
    const character = make("FacetCharacter", 600, { name: "Page", trigger: "zqx" });
    const captions = make("FacetCaptionWriter", 900);
    const trainer = make("FacetLoraTrainer", 1200, { steps, rank: 2, checkpoint_every: 20 });
    connect(models, "studio", trainer);
    connect(picture, "image", character);
    connect(character, "character", captions);
    connect(captions, "character", trainer);
    app.canvas.ds.offset = [-1100, 0];
    app.canvas.setDirty(true, true);
    return String(trainer.id);
}"""
)
TELL = """async (course) => {
    const { api } = await import("/scripts/api.js");
    api.dispatchEvent(new CustomEvent("facet.training", { detail: course }));
}"""
PANEL = '[...document.querySelectorAll(".facet-training")].at(-1)'
STEPS = f'({PANEL}.querySelector("b").textContent.match(/[0-9]+/)?.[0] ?? "0")'


def course(node: str, steps: int = 40, after: int = 0, **more: Any) -> dict[str, Any]:
    """What the server tells of a course that has come to step ``steps`` of 100."""
    rows = [[step, 1 / step, 0.9 / step, 1e-4] for step in range(after + 1, steps + 1)]
    return {
        "node": node,
        "workflow": "",
        "run": "run",
        "folder": "facet/Told/training/run",
        "state": "running",
        "note": "",
        "step": steps,
        "steps": 100,
        "eta": 240.0,
        "after": after,
        "rows": rows,
        "validation": [[20, 0.5], [40, 0.4]],
        "identity": [[20, 0.3], [40, 0.2]],
        "checkpoints": [20, 40],
        "best": 20,
        "samples": [],
        **more,
    }


def test_a_training_is_seen_survives_a_reload_and_ends_at_the_button(
    pages: Pages, server: ComfyServer
) -> None:
    before = set(server.client.get("/history"))
    page = pages.cleared(True)
    trainer = page.run(NODES, 100_000)
    assert all(one.is_disabled() for one in page.page.locator(".facet-training button").all())
    assert page.run("async () => await app.queuePrompt(0, 1)")
    page.page.wait_for_function(f"() => Number({STEPS}) >= 5")
    assert page.troubles() == []
    saved = page.saved()

    page.open()
    page.load(saved)
    page.page.wait_for_function(f"() => Number({STEPS}) >= 10")
    known = server.client.get(f"/facet/training?workflow={saved['id']}")["courses"]
    [seen] = [one for one in known if one["node"] == trainer]
    assert [row[0] for row in seen["rows"]] == list(range(1, seen["step"] + 1))
    page.messages.clear()

    # What is asked for on the way comes, and the run goes on.
    sampled = page.page.locator(".facet-training .strip img")
    assert sampled.count() == 0
    page.page.get_by_role("button", name="Sample now").click()
    sampled.first.wait_for()
    page.page.get_by_role("button", name="Save now").click()
    page.page.wait_for_function(
        r"/Step \d+ is saved in/.test(document.querySelector('.facet-training .note').textContent)"
    )

    button = page.page.get_by_role("button", name="Stop now and keep the best")
    button.click()
    page.page.wait_for_function(
        'document.querySelector(".facet-training .rest").textContent.includes("finished")',
    )
    assert button.is_disabled()
    assert "LoRA:" in page.page.locator(".facet-training .note").inner_text()
    assert page.troubles() == []

    done = int(page.run(f"() => {STEPS}"))
    folder = server.output / page.saved()["nodes"][-1]["properties"]["facet_run"]
    with (folder / "losses.csv").open(newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, done + 1))
    assert (folder / "losses.png").is_file()
    curve = f"{server.address}/facet/training/curve"
    drawn = page.page.request.get(curve, params={"folder": str(folder.relative_to(server.output))})
    assert drawn.body().startswith(b"\x89PNG")
    assert page.page.request.get(curve, params={"folder": "facet/Nobody"}).status == 404
    page.page.wait_for_function(
        "async (n) => Object.keys(await (await fetch('/history')).json()).length > n",
        arg=len(before),
    )
    [prompt_id] = set(server.client.get("/history")) - before
    history = server.client.history(prompt_id)
    assert history is not None
    assert history["status"]["status_str"] == "success"

    # A page that knows nothing but the workflow finds the run in its folder.
    page.run("() => { app.graph.clear(); }")
    elsewhere = json.loads(json.dumps(saved)) | {"id": "5ee2b7a2-0000-4000-8000-000000000000"}
    elsewhere["nodes"][-1]["properties"]["facet_run"] = f"facet/Page/training/{folder.name}"
    page.load(elsewhere)
    page.page.wait_for_function(f"() => Number({STEPS}) === {done}")


def test_each_trainer_draws_its_own_course(page: Page) -> None:
    first, second = page.run(NODES, 10), page.run(NODES, 10)
    page.run(TELL, course(first))
    page.run(TELL, course(second, steps=12, validation=[], identity=[], best=None))
    page.settle()
    shown = page.page.locator(".facet-training")
    texts = {one.locator(".head > b").inner_text(): one for one in shown.all()}
    assert set(texts) == {"Step 40", "Step 12"}
    rich = texts["Step 40"]
    assert "of 100 · 4 min left" in rich.locator(".rest").inner_text()
    assert rich.locator(".loss b").inner_text() == "0.0225"
    assert rich.locator("circle.validation").count() == 2
    assert rich.locator("circle.saved").count() == 1
    assert rich.locator("text.best").text_content() == "best 20"
    assert texts["Step 12"].locator("circle.validation").count() == 0

    page.run(TELL, course(first, steps=60, after=40))
    page.settle()
    assert rich.locator(".head > b").inner_text() == "Step 60"
    page.run(TELL, course(first, steps=60, state="cancelled", note="Cancelled."))
    page.settle()
    assert all(one.is_disabled() for one in rich.locator("button").all())
    assert rich.locator(".note").inner_text() == "Cancelled."
    assert page.troubles() == []


def test_what_is_wrong_with_the_dataset_is_listed_on_a_press(page: Page) -> None:
    trainer = page.run(NODES, 10)
    found = [{"says": f"Fault {number}.", "effect": "<b>Harm</b>."} for number in range(100)]
    lint = {"number": 61, "count": 130, "findings": found}
    page.run(TELL, course(trainer, steps=0, validation=[], identity=[], lint=lint))
    head = page.page.locator(".facet-training .findings summary")
    head.wait_for()  # drawn with the next frame
    assert head.inner_text() == "Dataset 61 of 100 · findings: 130"
    lines = page.page.locator(".facet-training .findings li")
    assert not lines.first.is_visible()
    head.click()
    assert lines.first.inner_text() == "Fault 0. <b>Harm</b>."
    assert lines.last.inner_text() == "30 more"
    # The steps that follow do not bring the list again; it stays as it is, and open.
    page.run(TELL, course(trainer, steps=5, validation=[], identity=[], lint=lint))
    page.run(TELL, course(trainer, steps=7, after=5, validation=[], identity=[]))
    assert head.inner_text() == "Dataset 61 of 100 · findings: 130"
    assert lines.first.is_visible()
    assert page.troubles() == []


def test_a_trainer_in_a_subgraph_draws_too(page: Page) -> None:
    trainer = page.run(NODES, 10)
    ids = page.run(
        """(id) => {
            const { node } = app.graph.convertToSubgraph(new Set([app.graph.getNodeById(id)]));
            const inner = node.subgraph.nodes[0];
            app.canvas.setGraph(node.subgraph);
            return [String(node.id), String(inner.id)];
        }""",
        trainer,
    )
    page.run(TELL, course(":".join(ids)))
    page.page.wait_for_function(f"() => {STEPS} === '40'")
    assert page.troubles() == []


def test_the_panel_is_no_part_of_the_prompt_and_grows_with_its_node(page: Page) -> None:
    trainer = page.run(NODES, 10)
    assert "training" not in page.prompt()[trainer]["inputs"]
    values = page.saved()["nodes"][-1]["widgets_values"]
    assert all(value is not None for value in values)
    page.run(TELL, course(trainer))
    height = f'{PANEL}.querySelector(".plot").clientHeight'
    page.page.wait_for_function(f"() => {STEPS} === '40' && {height} > 0")
    before = page.run(f"() => {height}")
    page.drag_corner(trainer, 200)
    page.page.wait_for_function(f"() => {height} > {before + 150}")
