// The pictures of the gallery: only those in sight are in the page, however many there are.

import { drawing, element, onceAFrame } from "../common/elements.mjs";

const GAP = 6;
const PADDING = 3; // room for the outline of what is chosen
const MIN_SIDE = 96;
const UNDER = 19; // the line under a picture
const ROWS_BEYOND = 1;
const SHAPES = {
  out: "M3.4 3.4l9.2 9.2M12.6 3.4l-9.2 9.2",
  hand: "M3 13l.7-3L10.6 3.1a1.3 1.3 0 0 1 1.9 0l.4.4a1.3 1.3 0 0 1 0 1.9L6 12.3z",
};

/** Where a list of `count` pictures has its columns and rows, in px. */
export function arranged(count, width, aspect) {
  const inside = Math.max(width - 2 * PADDING, 1);
  const columns = Math.max(1, Math.floor((inside + GAP) / (MIN_SIDE + GAP)));
  const side = (inside - GAP * (columns - 1)) / columns;
  const row = side / aspect + UNDER + GAP;
  return { columns, side, row, rows: Math.ceil(count / columns), height: side / aspect };
}

/** The half-open range of pictures that a window of `height` px at `top` shows. */
export function inSight({ columns, row }, count, top, height) {
  const first = Math.max(0, Math.floor((top - PADDING) / row) - ROWS_BEYOND);
  const last = Math.ceil((top - PADDING + height) / row) + ROWS_BEYOND;
  return [Math.min(first * columns, count), Math.min(last * columns, count)];
}

export class List {
  items = [];
  aspect = 1;
  cells = new Map(); // by the picture's hash
  drawn = new Map(); // what each cell shows

  /** `picked(hash, event)` and `opened(hash)` are told of clicks; `describe(item)` gives a cell. */
  constructor(parent, label, { describe, picked, opened }) {
    this.describe = describe;
    this.element = element("div", "scroll", parent);
    this.element.dataset.captureWheel = "true";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "listbox");
    this.element.setAttribute("aria-multiselectable", "true");
    this.element.setAttribute("aria-label", label);
    this.space = element("div", "space", this.element);
    this.id = `facet-${Math.random().toString(36).slice(2)}`;
    this.schedule = onceAFrame(() => this.draw());
    this.element.addEventListener("scroll", this.schedule, { passive: true });
    this.observer = new ResizeObserver(this.schedule);
    this.observer.observe(this.element);
    const hashOf = (event) => event.target.closest?.(".cell")?.dataset.hash;
    this.element.addEventListener("click", (event) => {
      if (hashOf(event)) picked(hashOf(event), event);
    });
    this.element.addEventListener("dblclick", (event) => {
      if (hashOf(event)) opened(hashOf(event));
    });
  }

  get columns() {
    return this.arrangement().columns;
  }

  /** How many whole rows are in sight. */
  get page() {
    return Math.max(1, Math.floor(this.element.clientHeight / this.arrangement().row));
  }

  arrangement() {
    return arranged(this.items.length, this.element.clientWidth, this.aspect);
  }

  /** Shows `items`, each with a hash; `aspect` is the width of their frames over the height. */
  show(items, aspect) {
    this.items = items;
    this.aspect = aspect;
    this.draw();
  }

  draw() {
    const place = this.arrangement();
    this.space.style.height = `${place.rows * place.row + 2 * PADDING - GAP}px`;
    const { scrollTop, clientHeight } = this.element;
    const [from, to] = inSight(place, this.items.length, scrollTop, clientHeight);
    const before = this.cells;
    this.cells = new Map();
    for (let index = from; index < to; index++) {
      const item = this.items[index];
      const cell = before.get(item.hash) ?? this.make(item.hash);
      before.delete(item.hash);
      this.cells.set(item.hash, cell);
      this.put(cell, index, place);
      this.fill(cell, item);
    }
    for (const [hash, cell] of before) {
      cell.remove();
      this.drawn.delete(hash);
    }
  }

  make(hash) {
    const cell = element("div", "cell", this.space);
    cell.dataset.hash = hash;
    cell.id = `${this.id}-${hash}`;
    cell.setAttribute("role", "option");
    const frame = element("div", "frame", cell);
    const image = element("img", "", frame);
    Object.assign(image, { decoding: "async", draggable: false, alt: "" });
    element("div", "under", cell);
    return cell;
  }

  put(cell, index, { columns, side, row, height }) {
    const [column, line] = [index % columns, Math.floor(index / columns)];
    const left = PADDING + column * (side + GAP);
    cell.style.cssText = `left:${left}px;top:${PADDING + line * row}px;width:${side}px;--tall:${height}px`;
    cell.setAttribute("aria-posinset", String(index + 1));
    cell.setAttribute("aria-setsize", String(this.items.length));
  }

  fill(cell, item) {
    const { kind, url, under, label, title, marks, selected } = this.describe(item);
    const text = JSON.stringify([kind, url, under, label, title, marks, selected]);
    if (this.drawn.get(item.hash) === text) return;
    this.drawn.set(item.hash, text);
    cell.className = `cell ${kind}`;
    cell.setAttribute("aria-selected", String(selected));
    cell.setAttribute("aria-label", label);
    cell.title = title;
    const [frame, line] = cell.children;
    const image = frame.firstElementChild;
    if (image.getAttribute("src") !== url) image.src = url;
    line.textContent = under;
    const made = marks.map(([name, said]) => {
      const mark = element("span", `mark ${name}`);
      if (said) mark.textContent = said;
      else mark.append(drawing([{ d: SHAPES[name] }]));
      return mark;
    });
    frame.replaceChildren(image, ...made);
  }

  /** Scrolls the list, and nothing around it, so that the picture `hash` is in sight. */
  reveal(hash) {
    const index = this.items.findIndex((item) => item.hash === hash);
    if (index < 0) return;
    const { columns, row } = this.arrangement();
    const top = Math.floor(index / columns) * row;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + row + PADDING > scrollTop + clientHeight) {
      this.element.scrollTop = top + row + PADDING - clientHeight;
    }
    this.draw();
    this.element.setAttribute("aria-activedescendant", `${this.id}-${hash}`);
  }

  close() {
    this.observer.disconnect();
  }
}
