"""The first workflow: as the page sees it, and run to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from safetensors import safe_open

from facet.launcher import demo, workflow
from harness.browser import Page, Pages
from harness.comfy_server import ComfyServer
from harness.graphs import (
    ONE_OF_EACH,
    check_apart,
    check_in_page,
    check_size,
    check_thumbnail,
    with_widgets,
)

PERSON = 0
# All that is changed, so that one core has soon done; as it is, the workflow runs at night.
FEW = {
    "FacetCharacter": {"name": "Demo person in short"},
    "FacetShotPlan": {
        "preset": "own lines only",
        "lines": "full body, back view",
    },
    "FacetLoraTrainer": {"steps": 4, "rank": 4, "batch_size": 2, "checkpoint_every": 2},
    "FacetIdentityScorer": {"checkpoints": 2, **ONE_OF_EACH},
}
GATES = {"view", "framing", "persons", "identity", "sharpness", "duplicate"}


@pytest.fixture(scope="session")
def saved() -> dict[str, Any]:
    return workflow.load(demo.START)


@pytest.fixture(scope="session")
def prompt(saved: dict[str, Any], server: ComfyServer) -> dict[str, Any]:
    return workflow.to_prompt(saved, server.client.get("/object_info"))


@pytest.fixture(scope="session")
def short(saved: dict[str, Any], server: ComfyServer) -> dict[str, Any]:
    """The workflow with little of everything."""
    return with_widgets(saved, server.client.get("/object_info"), FEW)


@pytest.fixture(scope="session")
def record(short: dict[str, Any], server: ComfyServer) -> dict[str, Any]:
    """The demo in short, run once for these tests: what `run.json` says of it."""
    return demo.follow(server.server, short, PERSON)


def test_it_is_small_enough_to_understand(saved: dict[str, Any]) -> None:
    check_size(saved, nodes=12, groups=range(3, 7), links=18)


@pytest.mark.browser
def test_it_loads_without_a_word_and_means_the_same_in_the_page(
    page: Page, saved: dict[str, Any], prompt: dict[str, Any]
) -> None:
    check_in_page(page, saved, prompt)
    check_apart(page)


def check_stages(record: dict[str, Any], server: ComfyServer, shots: int, tries: int) -> None:
    for kind in ("sheet", "dataset", "lora", "report"):
        path = server.output / record["paths"][kind]
        assert path.exists(), kind
    assert len(record["shots"]) == shots
    for shot in record["shots"]:
        assert set(shot["measured"]) == GATES
        assert 1 <= shot["tries"] <= tries
    assert all(len(file["sha256"]) == 64 for file in record["files"])


@pytest.mark.nightly
def test_every_stage_of_the_whole_leaves_what_it_promises(
    saved: dict[str, Any], server: ComfyServer
) -> None:
    check_stages(demo.follow(server.server, saved, PERSON), server, shots=22, tries=3)


@pytest.mark.slow
def test_every_stage_leaves_what_it_promises(record: dict[str, Any], server: ComfyServer) -> None:
    check_stages(record, server, shots=7, tries=3)
    score = (server.output / record["paths"]["report"]).with_name("score.json")
    assert {one["step"] for one in json.loads(score.read_text("utf-8"))["tried"]} == {2, 4}


@pytest.mark.slow
def test_the_lora_says_what_it_is(record: dict[str, Any], server: ComfyServer) -> None:
    with safe_open(server.output / record["paths"]["lora"], "pt") as file:
        metadata = file.metadata()
    assert "zqx" in json.dumps(metadata)
    assert "synthetic" in json.dumps(metadata)


@pytest.mark.slow
@pytest.mark.browser
def test_the_pages_run_button_finds_all_of_it_done(
    pages: Pages, short: dict[str, Any], record: dict[str, Any]
) -> None:
    page = pages.cleared(vue=True)
    page.load(short)
    history = page.queue()
    assert history["status"]["status_str"] == "success"
    events = dict(history["status"]["messages"])
    assert set(events["execution_cached"]["nodes"]) >= set(page.prompt())


@pytest.mark.nightly
@pytest.mark.browser
def test_as_an_app_it_goes_from_a_name_to_the_verdict(
    pages: Pages, saved: dict[str, Any], server: ComfyServer
) -> None:
    page = pages.cleared(vue=True)
    page.load(with_widgets(saved, server.client.get("/object_info"), FEW), app=True)
    form = page.page.get_by_test_id("linear-widgets")
    form.get_by_role("textbox").first.fill("In the app")
    before = set(server.client.get("/history"))
    run = page.page.get_by_test_id("linear-run-button").get_by_role(
        "button", name="Run", exact=True
    )
    run.first.click()
    while not (ended := set(server.client.get("/history")) - before):
        page.page.wait_for_timeout(1000)
    [entry] = [server.client.get(f"/history/{one}")[one] for one in ended]
    assert entry["status"]["status_str"] == "success"
    assert (server.output / "facet" / "In_the_app" / "report" / "report.png").is_file()
    # The sheet of the shots and the report, whose image says the verdict.
    page.page.get_by_test_id("linear-history-item").nth(1).wait_for()
    shown = page.page.get_by_test_id("linear-image-output")
    shown.first.wait_for()


def test_the_thumbnail_is_a_picture_that_the_page_shows() -> None:
    check_thumbnail(demo.START)
