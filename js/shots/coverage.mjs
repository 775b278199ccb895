// What a plan wants and what is there of it, as a table in the plan's node.

import { element } from "../common/elements.mjs";
import { addStyle } from "../common/style.mjs";
import { texts } from "../common/texts.mjs";
import { named } from "./said.mjs";
import { COVERAGE_STYLE } from "./style.mjs";
import { TEXTS } from "./texts.mjs";

const EMPTY_HEIGHT = 96;
const MOST_HEIGHT = 340;
const ROW = 19;
const COLUMN = 178;

export class Coverage {
  rows = [];
  minHeight = EMPTY_HEIGHT;

  /** `resized` is told when the node has to make room. */
  constructor({ locale, resized }) {
    addStyle("coverage", COVERAGE_STYLE);
    this.words = texts(TEXTS, locale);
    this.resized = resized;
    this.element = element("div", "facet-panel facet-coverage");
    const head = element("div", "head", this.element);
    this.count = element("b", "", head);
    this.rest = element("span", "rest", head);
    this.scroller = element("div", "scroll", this.element);
    this.scroller.dataset.captureWheel = "true";
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("aria-label", this.words("coverage"));
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
    tables.classList.toggle("begun", this.rows.some((row) => row.have));
    for (const [axis, rows] of byAxis(this.rows)) this.drawAxis(tables, axis, rows);
    this.measure();
  }

  drawAxis(parent, axis, rows) {
    const table = element("table", "", parent);
    element("caption", "", table).textContent = this.words(axis);
    for (const { value, label, wanted, have } of rows) {
      const row = element("tr", have < wanted ? "missing" : "", table);
      const name = element("th", "", row);
      name.scope = "row";
      const said = named(this.words, value, axis, label);
      name.textContent = name.title = said;
      const bar = element("i", "", element("td", "bar", row));
      bar.style.setProperty("--share", wanted ? Math.min(1, have / wanted) : 0);
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
    if (Math.abs(height - this.minHeight) < 2) return;
    this.minHeight = height;
    this.element.style.minHeight = `${height}px`; // what nodes drawn by Vue go by
    this.resized();
  }

  close() {
    this.observer.disconnect();
  }
}

/** The rows of each axis together, in the order in which they come. */
function byAxis(rows) {
  const found = new Map();
  for (const row of rows) found.set(row.axis, [...(found.get(row.axis) ?? []), row]);
  return [...found];
}
