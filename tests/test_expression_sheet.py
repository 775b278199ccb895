"""One face, twelve expressions, a labelled sheet: as the page sees it, and run to its end."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from facet.engine.generate.expression.presets import PRESETS
from facet.launcher import workflow
from facet.launcher.places import ROOT
from harness.browser import Page
from harness.comfy_server import ComfyServer
from harness.graphs import check_apart, check_in_page, check_size, check_thumbnail

FILE = ROOT / "workflows" / "10_expression_sheet.json"


@pytest.fixture(scope="session")
def saved() -> dict[str, Any]:
    return workflow.load(FILE)


@pytest.fixture(scope="session")
def prompt(saved: dict[str, Any], server: ComfyServer) -> dict[str, Any]:
    return workflow.to_prompt(saved, server.client.get("/object_info"))


def test_it_is_small_enough_to_understand(saved: dict[str, Any]) -> None:
    check_size(saved, nodes=10, groups=range(3, 4))


def test_it_asks_for_every_expression_there_is(prompt: dict[str, Any]) -> None:
    [editor] = [n for n in prompt.values() if n["class_type"] == "FacetExpressionEditor"]
    assert editor["inputs"]["expressions"].split(", ") == list(PRESETS)
    assert len(PRESETS) == 12


@pytest.mark.browser
def test_it_loads_without_a_word_and_means_the_same_in_the_page(
    page: Page, saved: dict[str, Any], prompt: dict[str, Any]
) -> None:
    check_in_page(page, saved, prompt)
    check_apart(page)


def test_it_ends_with_twelve_shots_and_a_sheet_of_them(
    prompt: dict[str, Any], server: ComfyServer
) -> None:
    run = server.run(prompt)
    assert run.status == "success", run.error
    [picture] = [
        image
        for key, node in prompt.items()
        if node["class_type"] == "PreviewImage"
        for image in run.outputs[key]["images"]
    ]
    with Image.open(server.server.base / "temp" / picture["filename"]) as sheet:
        assert sheet.width > 4 * 300
        assert sheet.height > 4 * 300
    shots = server.output / "facet" / "Demo_face" / "expressions"
    # A face that is neutral already comes out as it was, which is no new shot.
    assert len(list(shots.glob("*.png"))) in (11, 12)


def test_the_thumbnail_is_a_picture_that_the_page_shows() -> None:
    check_thumbnail(FILE)
