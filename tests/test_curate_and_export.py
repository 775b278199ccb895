"""Shots, captions, decisions, versions and exports in one graph: as the page sees it, and run."""

from __future__ import annotations

import copy
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from facet.launcher import workflow
from facet.launcher.places import ROOT
from harness.browser import Page
from harness.comfy_server import ComfyServer, Run
from harness.graphs import (
    changed,
    check_apart,
    check_in_page,
    check_size,
    check_thumbnail,
    with_own_studio,
)

FILE = ROOT / "workflows" / "11_caption_curate_export.json"
# All that is changed, so that one core has soon done: few shots, few steps, and none is retried.
FEW = {"FacetShotPlan": {"preset": "face close-ups (5)"}}
LENIENT = {"tries": 1, "min_identity": -1.0, "max_yaw_error": 90.0}
CAPTION = "zqx person, laughing at the camera"


@pytest.fixture(scope="session")
def saved() -> dict[str, Any]:
    return workflow.load(FILE)


@pytest.fixture(scope="session")
def prompt(saved: dict[str, Any], server: ComfyServer) -> dict[str, Any]:
    return workflow.to_prompt(saved, server.client.get("/object_info"))


@pytest.fixture(scope="session")
def few(prompt: dict[str, Any]) -> dict[str, Any]:
    """The workflow as it is, with little of everything and nobody in the page."""
    return with_own_studio(changed(copy.deepcopy(prompt), FEW), {"steps": 2}, LENIENT)


@pytest.fixture(scope="session")
def first(few: dict[str, Any], server: ComfyServer) -> Run:
    """One run over HTTP, in which nothing is decided."""
    return server.run(few)


def one(prompt: dict[str, Any], kind: str) -> str:
    """The id of the node of that kind."""
    [key] = [key for key, node in prompt.items() if node["class_type"] == kind]
    return key


def shown(run: Run, prompt: dict[str, Any], kind: str) -> str:
    """The text that the node of that kind showed."""
    return str(run.outputs[one(prompt, kind)]["text"][0])


def folder(server: ComfyServer) -> Path:
    return server.output / "facet" / "Curated_person"


def test_it_is_small_enough_to_understand(saved: dict[str, Any]) -> None:
    check_size(saved, nodes=15, groups=range(6, 7))


@pytest.mark.browser
def test_it_loads_without_a_word_and_means_the_same_in_the_page(
    page: Page, saved: dict[str, Any], prompt: dict[str, Any]
) -> None:
    check_in_page(page, saved, prompt)
    check_apart(page)


def test_over_the_api_nothing_waits_and_all_of_it_is_there_at_the_end(
    first: Run, few: dict[str, Any], server: ComfyServer
) -> None:
    assert first.status == "success", first.error
    kohya = folder(server) / "dataset" / "kohya"
    texts = list(kohya.glob("10_zqx person/*.txt"))
    assert len(texts) == len(list(kohya.glob("10_zqx person/*.png"))) >= 2
    assert all(text.read_text("utf-8").count("zqx") == 1 for text in texts)
    assert (kohya / "dataset.toml").is_file()
    [archive] = (folder(server) / "dataset" / "zip").glob("*.zip")
    with zipfile.ZipFile(archive) as packed:
        assert len([name for name in packed.namelist() if name.endswith(".txt")]) == len(texts)
    assert (folder(server) / "library" / "v1" / "character.json").is_file()
    assert shown(first, few, "FacetSaveCharacter").startswith("Saved as Curated_person/v1.")
    assert shown(first, few, "FacetCompareVersions").startswith("Nothing has changed")


def test_what_is_decided_reaches_versions_comparison_and_export(
    first: Run, few: dict[str, Any], server: ComfyServer
) -> None:
    record = json.loads((folder(server) / "library" / "v1" / "character.json").read_text("utf-8"))
    gone, told = [entry["hash"] for entry in record["pictures"] if entry["include"]][-2:]
    decided = copy.deepcopy(few)
    decided[one(few, "FacetDatasetCurator")]["inputs"]["curation"] = json.dumps(
        {"shots": {gone: {"include": False}, told: {"caption": CAPTION}}}
    )
    run = server.run(decided)
    assert run.status == "success", run.error
    assert run.cached >= {one(few, "FacetShotGenerator"), one(few, "FacetCaptionWriter")}
    assert shown(run, few, "FacetSaveCharacter").startswith("Saved as Curated_person/v2.")
    said = shown(run, few, "FacetCompareVersions")
    assert "Left out of the dataset: 1" in said and f"now: {CAPTION}" in said
    kohya = folder(server) / "dataset" / "kohya"
    assert [path.read_text("utf-8") for path in kohya.rglob(f"*{told[:16]}.txt")] == [CAPTION]
    assert [path.parent.name for path in kohya.rglob(f"*{gone[:16]}.png")] == ["excluded"]
    [picture] = run.outputs[one(few, "PreviewImage")]["images"]
    with Image.open(server.server.base / "temp" / picture["filename"]) as drawn:
        assert drawn.width == 1600

    # The decisions stand beside the dataset: a workflow that knows nothing of them keeps to them.
    again = server.run(few)
    assert shown(again, few, "FacetSaveCharacter").startswith("Curated_person/v2 is just this;")


def test_a_saved_version_can_be_chosen_and_compared(
    first: Run, few: dict[str, Any], server: ComfyServer
) -> None:
    offered = server.client.get("/object_info/FacetOpenCharacter")["FacetOpenCharacter"]
    options = offered["input"]["required"]["version"][1]["options"]
    assert {"Curated_person/newest", "Curated_person/v1"} <= set(options)
    run = server.run(
        {
            "old": {
                "class_type": "FacetOpenCharacter",
                "inputs": {"version": "Curated_person/v1"},
            },
            "new": {
                "class_type": "FacetOpenCharacter",
                "inputs": {"version": "Curated_person/newest"},
            },
            "compare": {
                "class_type": "FacetCompareVersions",
                "inputs": {"before": ["old", 0], "after": ["new", 0]},
            },
            "look": {"class_type": "PreviewImage", "inputs": {"images": ["compare", 1]}},
        }
    )
    assert run.status == "success", run.error


def test_the_thumbnail_is_a_picture_that_the_page_shows() -> None:
    check_thumbnail(FILE)
