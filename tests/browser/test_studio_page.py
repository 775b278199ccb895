"""Another model by another box: one drag takes all that a studio was connected to along."""

from __future__ import annotations

import pytest

from harness.browser import MAKE_AND_CONNECT, Page

pytestmark = pytest.mark.browser

NODES = (
    f"() => {{{MAKE_AND_CONNECT}"
    """
    const [before, after] = [80, 560].map((y) => {
        const studio = make("FacetStudio", 0);
        studio.pos = [0, y];
        return studio;
    });
    const taking = ["FacetTurnaroundSheet", "FacetShotGenerator"].map((type, number) => {
        const node = make(type, 500 + 450 * number);
        connect(before, "studio", node);
        return node;
    });
    app.canvas.ds.scale = 0.6;
    app.canvas.ds.offset = [100, 60];
    app.canvas.setDirty(true, true);
    return [before, after, ...taking].map((node) => node.id);
}"""
)
OUTPUT = """(id) => {
    const drawn = document.querySelector(`.lg-node[data-node-id="${id}"] .lg-slot--output`);
    const box = drawn?.getBoundingClientRect();
    if (box) return [box.right - 4, box.top + box.height / 2];
    const [x, y] = app.graph.getNodeById(id).getConnectionPos(false, 0);
    const { scale, offset } = app.canvas.ds;
    const { left, top } = app.canvas.canvas.getBoundingClientRect();
    return [(x + offset[0]) * scale + left, (y + offset[1]) * scale + top];
}"""
LINKS = "() => [...app.graph.links.values()].map((link) => [link.origin_id, link.target_id])"


def test_one_drag_with_shift_puts_another_studio_in_the_place_of_one(page: Page) -> None:
    before, after, *taking = page.run(NODES)
    page.settle()
    (x, y), (to_x, to_y) = (page.run(OUTPUT, node) for node in (before, after))
    mouse, keys = page.page.mouse, page.page.keyboard
    keys.down("Shift")
    mouse.move(x, y)
    mouse.down()
    mouse.move((x + to_x) / 2 + 30, (y + to_y) / 2, steps=6)
    mouse.move(to_x, to_y, steps=6)
    page.settle()
    mouse.up()
    keys.up("Shift")
    page.settle()
    linked = [[str(end) for end in link] for link in page.run(LINKS)]
    assert linked == [[str(after), str(node)] for node in taking]
