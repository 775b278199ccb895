// A shot at its full size, over the page, with the same decisions as in the grid.

import { button, element } from "../common/elements.mjs";
import { Actions, actionOf } from "./actions.mjs";
import { sentences } from "./said.mjs";

export class Viewer {
  /** `grid` gives the shots, what was decided, the addresses of pictures, and does the actions. */
  constructor(grid, words) {
    this.grid = grid;
    this.words = words;
    this.element = element("dialog", "facet-panel facet-viewer");
    const stage = element("div", "stage", this.element);
    this.image = element("img", "", stage);
    this.left = this.turner(stage, "left", "‹", words("earlier"), -1);
    this.right = this.turner(stage, "right", "›", words("later"), 1);
    this.said = element("div", "said", this.element);
    this.said.setAttribute("role", "status");
    const low = element("div", "low", this.element);
    this.actions = new Actions(low, words, (action) => this.grid.act(action));
    button(low, words("close"), () => this.element.close());
    this.element.addEventListener("keydown", (event) => this.press(event));
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
    this.element.addEventListener("close", () => {
      this.element.remove();
      this.grid.focus();
    });
  }

  get isOpen() {
    return this.element.open;
  }

  turner(parent, side, text, label, by) {
    const made = button(parent, text, () => this.grid.select(this.grid.selected + by));
    made.className = `turn ${side}`;
    made.setAttribute("aria-label", label);
    return made;
  }

  open() {
    document.body.append(this.element);
    this.draw();
    this.element.showModal();
  }

  close() {
    if (this.isOpen) this.element.close();
    this.element.remove();
  }

  draw() {
    const { grid, words } = this;
    const cell = grid.cells[grid.selected];
    if (!cell) return this.close();
    const entry = grid.entryOf(cell);
    const url = grid.fullUrl(cell);
    if (this.image.dataset.url !== url) {
      this.image.dataset.url = url;
      this.image.src = url;
    }
    this.image.alt = cell.name;
    const { measured, next } = sentences(cell, entry, words);
    this.said.replaceChildren();
    element("b", "", this.said).textContent = cell.name;
    this.said.append(measured);
    if (next) element("div", "next", this.said).textContent = next;
    this.left.disabled = grid.selected === 0;
    this.right.disabled = grid.selected === grid.cells.length - 1;
    this.actions.draw(cell, entry);
    return undefined;
  }

  press(event) {
    event.stopPropagation(); // The page has keys of its own.
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    const action = actionOf(event);
    if (by) this.grid.select(this.grid.selected + by);
    else if (action) this.grid.act(action);
    else return;
    event.preventDefault();
  }
}
