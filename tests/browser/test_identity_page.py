"""The scorer node's panel: it names the report of its node and opens it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.browser import MAKE_AND_CONNECT, Page
from harness.comfy_server import ComfyServer

pytestmark = pytest.mark.browser

NODES = (
    f"(name) => {{{MAKE_AND_CONNECT}"
    """
    app.canvas.setGraph(app.graph);
    app.graph.clear();
    app.graph.id = crypto.randomUUID();
    const models = make("FacetDemoModels", 0);
    const picture = make("FacetDemoPicture", 300);
    const character = make("FacetCharacter", 600, { name, trigger: "zqx" });
    const trainer = make("FacetLoraTrainer", 900, { steps: 1, rank: 2, checkpoint_every: 1 });
    const captions = make("FacetCaptionWriter", 750);
    const scorer = make("FacetIdentityScorer", 1300, {
        samples: 1, trigger_only: 0, attributes: 0, leak_probes: 0,
    });
    connect(models, "studio", trainer);
    connect(smallStudio(models, -400), "studio", scorer);
    connect(models, "judge", scorer);
    connect(picture, "image", character);
    connect(character, "character", captions);
    connect(captions, "character", trainer);
    connect(captions, "character", scorer);
    connect(trainer, "run", scorer);
    app.canvas.ds.offset = [-1200, 0];
    app.canvas.setDirty(true, true);
    return String(scorer.id);
}"""
)
SHOW = """async ([node, folder]) => {
    const { api } = await import("/scripts/api.js");
    const output = { images: [], facet_report: [folder] };
    api.dispatchEvent(new CustomEvent("executed", { detail: { node, output } }));
}"""


@pytest.fixture(scope="session")
def told(server: ComfyServer) -> list[str]:
    """The folders of two reports of a character, the later first."""
    folders = []
    for called, verdict in (
        ("2025-11-21 14-03-59 89abcdef", "It is the same character: use step 200 at strength 1."),
        ("2025-01-02 03-04-05 0123abcd", "Only a likeness: <b>train</b> longer."),
    ):
        folder = server.output / "facet" / "Told é" / "report" / called
        folder.mkdir(parents=True)
        (folder / "score.json").write_text(json.dumps({"verdict": verdict}))
        (folder / "report.html").write_text(
            f"<!doctype html><title>{called}</title><p id=said>{called}</p>"
            "<script>document.title = 'it ran'</script>"
        )
        folders.append(folder.relative_to(server.output).as_posix())
    return folders


def panel(page: Page) -> Any:
    return page.page.locator(".facet-scorer").last


def test_a_score_is_made_and_its_report_opens(page: Page, server: ComfyServer) -> None:
    name = f"Scored{'Vue' if page.vue else 'Canvas'}"
    page.run(NODES, name)
    page.settle()
    assert panel(page).locator(".verdict").inner_text().startswith("The verdict")
    assert panel(page).locator("a.open").get_attribute("href") is None
    page.messages.clear()
    done = page.queue()
    assert done["status"]["status_str"] == "success", done["status"]
    page.page.wait_for_function(
        '[...document.querySelectorAll(".facet-scorer a.open")].at(-1).href !== ""'
    )
    score = json.loads((server.output / "facet" / name / "report" / "score.json").read_text())
    assert panel(page).locator(".verdict").inner_text() == score["verdict"]
    assert page.troubles() == []

    with page.page.context.expect_page() as opening:
        panel(page).locator("a.open").click()
    report = opening.value
    report.wait_for_load_state()
    assert report.title() == f"{name}: identity report"
    assert report.locator("h1").inner_text() in score["verdict"]
    # Chromium draws every picture that it can decode.
    assert report.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    for width in (1280, 390):
        report.set_viewport_size({"width": width, "height": 900})
        assert report.evaluate("document.documentElement.scrollWidth") <= width
    report.get_by_role("link", name="score.json").click()
    report.wait_for_url("**/score.json")
    assert report.evaluate("document.body.innerText").lstrip().startswith("{")
    report.close()

    saved = page.saved()
    [node] = [one for one in saved["nodes"] if one["type"] == "FacetIdentityScorer"]
    page.run("() => app.graph.clear()")
    page.load(saved)
    page.page.wait_for_function(
        '[...document.querySelectorAll(".facet-scorer a.open")].at(-1)?.href'
    )
    assert node["properties"]["facet_report"].startswith(f"facet/{name}/report/")
    assert panel(page).locator(".verdict").inner_text() == score["verdict"]


def test_earlier_reports_are_chosen_from_and_no_script_of_theirs_runs(
    page: Page, told: list[str]
) -> None:
    late, early = told
    scorer = page.run(NODES, "Told")
    page.run(SHOW, [scorer, early])
    page.page.wait_for_function(
        '[...document.querySelectorAll(".facet-scorer select")].at(-1).options.length === 2'
    )
    assert panel(page).locator("select").input_value() == early
    # A verdict is text, whatever it holds.
    assert panel(page).locator(".verdict").inner_text() == "Only a likeness: <b>train</b> longer."
    panel(page).locator("select").select_option(late)
    assert panel(page).locator(".verdict").inner_text().startswith("It is the same character")
    with page.page.context.expect_page() as opening:
        panel(page).locator("a.open").click()
    report = opening.value
    report.wait_for_load_state()
    assert report.locator("#said").inner_text() == late.rpartition("/")[2]
    assert report.title() != "it ran"
    report.close()
