"""One workflow open in two tabs: neither takes from the other what is decided there."""

from __future__ import annotations

import pytest
from browser.test_curator_page import CELLS, begin, cell, decided, kept, key, queue

from facet.engine.store.captions_by_hand import captions_by_hand
from harness.browser import Page
from harness.comfy_server import ComfyServer

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", [True], ids=["vue"], indirect=True)
def test_what_is_decided_in_one_tab_stays_there_and_nothing_is_lost(
    page: Page, server: ComfyServer
) -> None:
    node, made, folder = begin(page, server, "Tabs", 6)
    shots = made.pictures
    other = Page(page.page.context.new_page(), server, page.vue, page.settings)
    other.open()
    other.messages.clear()
    other.load(page.saved())
    other.page.wait_for_selector(CELLS)

    for tab, number in ((page, 2), (other, 4)):
        tab.page.bring_to_front()
        cell(tab, shots[number]).click()
        tab.page.keyboard.press("x")
    kept(other)
    cell(other, shots[3]).click()
    other.page.keyboard.press("e")
    other.page.keyboard.type("zqx person by hand")
    other.page.keyboard.press("Enter")
    kept(other)
    here, there = {key(shots[2]): {"include": False}}, {key(shots[4]): {"include": False}}
    there |= {key(shots[3]): {"caption": "zqx person by hand"}}

    # A run of one tells both, and changes what neither has decided.
    for tab in (page, other):
        tab.page.bring_to_front()
        queue(tab)
        assert (decided(page, node), decided(other, node)) == (here, there)
    assert captions_by_hand(folder) == {shots[3].hash: "zqx person by hand"}
    assert page.troubles() == other.troubles() == []
