"""A workflow seen as an app, where there are no panels: what is made shows as it comes."""

from __future__ import annotations

from typing import Any

import pytest
from browser.test_shots_page import NODES as SHOTS
from browser.test_trainer_page import NODES as TRAINER

from harness.browser import Pages

pytestmark = pytest.mark.browser

# ComfyUI shows what is not a file yet under an address that the page itself gave it.
LOOK_ON = """() => {
    window.seen = new Map();
    new MutationObserver(() => {
        for (const { src, naturalWidth, naturalHeight } of document.querySelectorAll("img")) {
            if (src.startsWith("blob:") && naturalWidth) {
                window.seen.set(src, [naturalWidth, naturalHeight]);
            }
        }
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


@pytest.mark.parametrize(
    ("graph", "given", "size"),
    [(SHOTS, ["FacetTurnaroundSheet", "App"], [64, 64]), (TRAINER, 60, [1600, 900])],
    ids=["shots", "training"],
)
def test_as_an_app_it_shows_what_is_made_as_it_comes(
    pages: Pages, graph: str, given: Any, size: list[int]
) -> None:
    page = pages.cleared(vue=True)
    node = page.run(graph, given)
    page.settle()
    workflow = page.saved()
    workflow["extra"] = {"linearData": {"inputs": [], "outputs": [int(node)]}}
    page.load(workflow, app=True)
    page.run(LOOK_ON)
    assert page.queue()["status"]["status_str"] == "success"
    page.page.wait_for_function(
        "(size) => [...window.seen.values()].some((one) => String(one) === String(size))", arg=size
    )
    page.open()  # A page that was an app is laid out otherwise from then on.
