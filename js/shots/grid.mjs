// The grid of shots in a node: each as it comes, and what a person decides about it.

import { element, isRunning, onceAFrame } from "../common/elements.mjs";
import { Panel } from "../common/panel.mjs";
import { Viewer } from "../common/viewer.mjs";
import { Actions, actionOf, allowed } from "./actions.mjs";
import { CellView } from "./cell.mjs";
import { decided, parsed, written } from "./decisions.mjs";
import { Foot } from "./foot.mjs";
import { Head } from "./head.mjs";
import { sentences, varied } from "./said.mjs";

const EMPTY_HEIGHT = 150;
const ROWS_SHOWN = 2;
const AROUND_THE_CELLS = 122; // head, bar and foot
const UNDER_A_PICTURE = 54;
const MIN_CELL = 86;

/** @typedef {import("../types").GridView} GridView */

/**
 * The grid after a message with what changed since `message.after`; null if one is missing.
 *
 * @param {GridView | null} view
 * @param {GridView} message
 * @returns {GridView | null}
 */
export function merged(view, message) {
  if (!message.after) return withEarlier(view, message);
  if (view?.folder !== message.folder || view.revision !== message.after) return null;
  const cells = [...view.cells];
  for (const cell of message.cells) cells[cell.index] = cell;
  return { ...message, after: 0, cells };
}

/** While shots are made again, the images of the earlier ones stand in for those to come. */
function withEarlier(view, message) {
  if (!isRunning(message) || view?.folder !== message.folder) return message;
  const before = new Map(view.cells.map((cell) => [cell.name, cell.key || cell.earlier]));
  const cells = message.cells.map((cell) => ({ ...cell, earlier: before.get(cell.name) }));
  return { ...message, cells };
}

export class Grid extends Panel {
  /** @type {GridView | null} */
  view = null;
  /** @type {number | null} */
  selected = null;
  preview = null;
  /** @type {CellView[]} */
  views = [];
  entries = {};
  /** The shots to draw again; null for all. @type {Set<number> | null} */
  changed = new Set();
  entryOf = (cell) => this.entries[cell.name];

  /**
   * `decisions` reads and writes the node's widget: get() and set(text). `smallUrl` gives the
   * address of a shot's thumbnail, `outputUrl` of a file in the output folder.
   */
  constructor({ words, decisions, smallUrl, outputUrl, resized }) {
    super("shots", EMPTY_HEIGHT, resized);
    this.words = words;
    this.decisions = decisions;
    this.smallUrl = smallUrl;
    this.outputUrl = outputUrl;
    this.head = new Head(this.element, words, outputUrl);
    this.scroller = element("div", "scroll", this.element);
    this.scroller.dataset.captureWheel = "true";
    this.list = element("div", "cells", this.scroller);
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", words("shots"));
    this.empty = element("div", "empty", this.scroller);
    const act = (action) => this.act(action);
    this.foot = new Foot(this.element, words, act);
    this.viewer = new Viewer(words, {
      turn: (by) => this.select(this.selected + by),
      press: (event) => this.actOn(event),
      closed: () => this.focus(),
    });
    this.viewerActions = new Actions(this.viewer.actions, words, act);
    this.listen();
    this.schedule = onceAFrame(() => this.draw());
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.scroller);
    this.draw();
  }

  get cells() {
    return this.view?.cells ?? [];
  }

  fullUrl(cell) {
    const key = cell.key || cell.earlier;
    return key ? this.outputUrl(`${this.view.folder}/${key}.png`) : cell.picture;
  }

  listen() {
    const indexOf = (event) => Number(event.target.closest?.(".cell")?.dataset.index ?? NaN);
    this.list.addEventListener("click", (event) => {
      const index = indexOf(event);
      if (!Number.isNaN(index)) this.select(index);
    });
    this.list.addEventListener("dblclick", (event) => {
      if (!Number.isNaN(indexOf(event))) this.enlarge();
    });
    this.element.addEventListener("keydown", (event) => this.press(event));
  }

  /** Takes a message up; false when there is a gap before it and the whole has to be asked for. */
  take(message) {
    const view = merged(this.view, message);
    if (!view) return false;
    if (!message.after) this.changed = null; // all of them
    for (const cell of message.cells) this.changed?.add(cell.index);
    if (this.selected >= view.cells.length) this.selected = null;
    this.view = view;
    this.preview = null;
    this.measure();
    this.schedule();
    return true;
  }

  /** Shows nothing until the next message. */
  forget() {
    this.viewer.close();
    this.view = this.selected = this.preview = null;
    this.decisionsChanged();
    this.measure();
  }

  /** Shows how far the shot at hand is. */
  takePreview(preview) {
    const cell = this.views[preview.index];
    if (!isRunning(this.view) || !cell) return;
    this.preview = preview;
    if (preview.picture) cell.show(preview.picture);
    cell.progress(preview.step / preview.steps);
    this.drawHead();
  }

  /** Draws again what hangs on the widget, which somebody else may have changed. */
  decisionsChanged() {
    this.changed = null;
    this.schedule();
  }

  select(index) {
    if (index != null && !this.cells[index]) return;
    this.views[this.selected]?.element.setAttribute("aria-selected", "false");
    this.selected = index;
    if (index != null) this.focus();
    this.drawFoot();
    if (this.viewer.isOpen) this.drawViewer();
  }

  focus() {
    const shown = this.views[this.selected]?.element;
    if (!shown) return;
    shown.setAttribute("aria-selected", "true");
    for (const view of this.views) view.element.tabIndex = view.element === shown ? 0 : -1;
    if (!this.viewer.isOpen) shown.focus({ preventScroll: true });
    this.reveal(shown);
  }

  /** Scrolls the grid, and nothing around it, so that `shown` is in sight. */
  reveal(shown) {
    const { scrollTop, clientHeight } = this.scroller;
    const [top, bottom] = [shown.offsetTop, shown.offsetTop + shown.offsetHeight];
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight;
  }

  enlarge() {
    const cell = this.cells[this.selected];
    if (cell && this.fullUrl(cell)) this.drawViewer();
  }

  drawViewer() {
    const cell = this.cells[this.selected];
    if (!cell) {
      this.viewer.close();
      return;
    }
    const entry = this.entryOf(cell);
    const { measured, next } = sentences(cell, entry, this.words);
    /** @type {(string | Element)[]} */
    const said = [measured];
    if (next) {
      said.push(Object.assign(element("div", "next"), { textContent: next }));
    }
    const place = this.selected + 1;
    const total = this.cells.length;
    this.viewerActions.draw(cell, entry);
    this.viewer.show({ url: this.fullUrl(cell), title: cell.name, said, place, total });
  }

  act(action) {
    const cell = this.cells[this.selected];
    if (!allowed(action, cell, cell && this.entryOf(cell))) return;
    this.decisions.set(written(decided(this.entries, cell, action)));
    this.changed?.add(this.selected);
    this.draw();
  }

  /** Does the action that a key means, if it means one. */
  actOn(event) {
    const action = actionOf(event);
    if (action) this.act(action);
    return Boolean(action);
  }

  press(event) {
    if (event.key === "Tab" || event.ctrlKey || event.metaKey || event.altKey) return;
    const inList = this.list.contains(event.target);
    const columns = Math.max(1, getComputedStyle(this.list).gridTemplateColumns.split(" ").length);
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    event.stopPropagation(); // The page has keys of its own: Delete removes the node.
    if (by) this.select(Math.min(Math.max((this.selected ?? -by) + by, 0), this.cells.length - 1));
    else if (event.key === "Home") this.select(0);
    else if (event.key === "End") this.select(this.cells.length - 1);
    else if (event.key === "Escape") this.select(null);
    else if (inList && (event.key === "Enter" || event.key === " ")) this.enlarge();
    else if (!this.actOn(event)) return;
    event.preventDefault();
  }

  /** Works out how much room two rows need, and asks for it when that has changed. */
  measure() {
    const sized = this.cells.find((cell) => cell.size)?.size;
    const aspect = sized ? sized[0] / sized[1] : 1;
    this.element.style.setProperty("--aspect", String(aspect));
    let height = EMPTY_HEIGHT;
    const width = this.scroller.clientWidth;
    if (this.cells.length && width) {
      const columns = Math.max(1, Math.floor((width - 4 + 6) / (MIN_CELL + 6)));
      const rows = Math.min(ROWS_SHOWN, Math.ceil(this.cells.length / columns));
      const side = (width - 4 - 6 * (columns - 1)) / columns;
      const under = UNDER_A_PICTURE + (varied(this.cells).length ? 14 : 0);
      height = AROUND_THE_CELLS + Math.ceil(rows * (side / aspect + under + 8));
    }
    this.need(height);
  }

  draw() {
    this.entries = parsed(this.decisions.get());
    const { cells } = this;
    this.empty.style.display = cells.length ? "none" : "";
    this.empty.textContent = this.words(isRunning(this.view) ? "preparing" : "empty");
    if (this.views.length !== cells.length) this.build();
    const axes = varied(cells);
    const dirty = this.changed ?? cells.keys();
    for (const index of dirty) {
      const cell = cells[index];
      if (!cell) continue;
      this.views[index].draw(cell, this.entryOf(cell), this.urlOf(cell), axes, this.words);
    }
    this.changed = new Set();
    this.drawHead();
    this.drawFoot();
    this.follow();
    if (this.viewer.isOpen) this.drawViewer();
  }

  build() {
    this.views = this.cells.map((_, index) => new CellView(index));
    this.list.replaceChildren(...this.views.map((view) => view.element));
    if (this.views.length) this.views[this.selected ?? 0].element.tabIndex = 0;
    this.changed = null;
    if (this.selected != null) {
      this.views[this.selected].element.setAttribute("aria-selected", "true");
    }
  }

  urlOf(cell) {
    if (cell.picture || cell.state === "sampling" || cell.state === "retried") return cell.picture;
    const key = cell.key || cell.earlier;
    return key ? this.smallUrl(this.view, { key }) : "";
  }

  drawHead() {
    this.head.draw(this.view, this.entryOf, this.preview);
  }

  drawFoot() {
    this.foot.draw(this.view, this.cells[this.selected], this.entryOf);
  }

  /** Keeps the shot at hand in sight, unless somebody looks at another. */
  follow() {
    if (!isRunning(this.view) || this.selected != null) return;
    const index = this.cells.findIndex((cell) => cell.state === "sampling");
    if (index >= 0 && index !== this.followed) {
      this.followed = index;
      this.reveal(this.views[index].element);
    }
  }

  close() {
    this.observer.disconnect();
    this.viewer.close();
  }
}
