// What a plan wants and what is there of it, as a table in the plan's node.

import { element } from "../common/elements.mjs";
import { Panel } from "../common/panel.mjs";
import { tagName } from "../common/texts.mjs";

const EMPTY_HEIGHT = 96;
const MOST_HEIGHT = 340;
const ROW = 19;
const COLUMN = 178;

export class Coverage extends Panel {
  rows = [];

  constructor({ words, resized }) {
    super("coverage", EMPTY_HEIGHT, resized);
    this.words = words;
    const head = element("div", "head", this.element);
    this.count = element("b", "", head);
    this.rest = element("span", "rest", head);
    this.scroller = element("div", "scroll", this.element);
    this.scroller.dataset.captureWheel = "true";
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("aria-label", words("coverage"));
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.scroller);
    this.take(null);
  }

  /** Draws `coverage`: {wanted, missing, rows: [{axis, value, label, wanted, have}]}, or null for none. */
  take(coverage) {
    this.rows = coverage?.rows ?? [];
    this.count.textContent = coverage ? this.words("to_make", { count: coverage.missing }) : "";
    const there = coverage ? coverage.wanted - coverage.missing : 0;
    this.rest.textContent = there ? this.words("there", { there, wanted: coverage.wanted }) : "";
    this.scroller.replaceChildren();
    if (!this.rows.length) {
      element("div", "empty", this.scroller).textContent = this.words("no_plan");
    }
    const tables = element("div", "tables", this.scroller);
    tables.classList.toggle(
      "begun",
      this.rows.some((row) => row.have),
    );
    for (const [axis, rows] of byAxis(this.rows)) this.drawAxis(tables, axis, rows);
    this.measure();
  }

  drawAxis(parent, axis, rows) {
    const table = element("table", "", parent);
    element("caption", "", table).textContent = tagName(this.words, axis);
    for (const { value, label, wanted, have } of rows) {
      const row = element("tr", have < wanted ? "missing" : "", table);
      const name = element("th", "", row);
      name.scope = "row";
      const said = tagName(this.words, value, axis, label);
      name.textContent = name.title = said;
      const bar = element("i", "", element("td", "bar", row));
      bar.style.setProperty("--share", String(wanted ? Math.min(1, have / wanted) : 0));
      element("td", "number", row).textContent = `${have}/${wanted}`;
      const missing = Math.max(0, wanted - have);
      row.title = this.words("row", { value: said, wanted, have, missing });
    }
  }

  /** Asks for as much room as the columns need, up to a limit from which on they scroll. */
  measure() {
    const columns = Math.max(1, Math.floor(this.scroller.clientWidth / COLUMN));
    const lines = this.rows.length + 1.4 * byAxis(this.rows).length;
    const wanted = 44 + Math.ceil((lines / columns) * ROW) + (columns > 1 ? 2 * ROW : 0);
    const height = this.rows.length ? Math.min(MOST_HEIGHT, wanted) : EMPTY_HEIGHT;
    this.need(height);
  }

  close() {
    this.observer.disconnect();
  }
}

/** The rows of each axis together, in the order in which they come. */
export function byAxis(rows) {
  const found = new Map();
  for (const row of rows) found.set(row.axis, [...(found.get(row.axis) ?? []), row]);
  return [...found];
}
