// One shot in the grid.

import { drawing, element } from "../common/elements.mjs";
import { tagName } from "../common/texts.mjs";
import { pending } from "./decisions.mjs";
import { detailOf, figure, sentences, stateOf, titleOf } from "./said.mjs";

// One shape for each state, so that no state is told by its colour alone.
const SHAPES = {
  accepted: "M2.8 8.4l3.3 3.3 7.1-7.4",
  failed: "M8 2.2l6.2 11.2H1.8zM8 6.6v3.1M8 11.4v.2",
  retried: "M13.2 8a5.2 5.2 0 1 1-1.6-3.8M13.4 1.8v2.9h-2.9",
  sampling: "M8 2.2a5.8 5.8 0 0 1 5.8 5.8",
  waiting: "M8 3.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2",
  pinned: "M5.4 2.4h5.2M6.2 2.6v4L4 9.2h8L9.8 6.6v-4M8 9.2v4.6",
  dropped: "M3.4 3.4l9.2 9.2M12.6 3.4l-9.2 9.2",
};

export class CellView {
  constructor(index) {
    this.element = element("div", "cell");
    this.element.setAttribute("role", "option");
    this.element.dataset.index = index;
    this.element.tabIndex = -1;
    this.frame = element("div", "frame", this.element);
    this.image = element("img", "", this.frame);
    Object.assign(this.image, { loading: "lazy", decoding: "async", draggable: false, alt: "" });
    this.mark = element("span", "mark", this.frame);
    this.next = element("span", "next", this.frame);
    this.done = element("i", "done", this.frame);
    this.name = element("div", "name", this.element);
    this.detail = element("div", "detail", this.element);
    this.state = element("div", "state", this.element);
    this.figures = element("div", "figures", this.element);
  }

  /** Draws `cell`; `entry` is what was decided about it, `url` its image's address, "" for none. */
  draw(cell, entry, url, axes, words) {
    const state = stateOf(cell, entry);
    const next = pending(cell, entry);
    const said = sentences(cell, entry, words);
    this.element.className = `cell ${state}${next ? " pending" : ""}`;
    this.show(url);
    if (this.shown !== state) {
      this.shown = state;
      this.mark.replaceChildren(drawing([{ d: SHAPES[state] ?? SHAPES.waiting }]));
    }
    this.progress(0);
    this.next.textContent = next && next !== "decide" ? words(`next_${next}`) : "";
    this.name.textContent = titleOf(cell, words);
    this.detail.textContent = axes.length ? detailOf(cell, axes, words) || "–" : "";
    this.state.textContent = words(state);
    if (cell.tries > 1 && state !== "waiting") this.state.append(` ×${cell.tries}`);
    this.drawFigures(cell.scores, words);
    const label = [cell.name, said.measured, said.next].filter(Boolean);
    this.element.setAttribute("aria-label", label.join(". "));
    this.element.title = label.join("\n");
  }

  /** What was measured: the gates that failed stand first, and out. */
  drawFigures(scores, words) {
    const failed = scores.filter((score) => score.passed === false);
    const others = scores.filter((score) => score.passed !== false && figure(score));
    const shown = [...failed, ...others].slice(0, 2);
    this.figures.replaceChildren(...(shown.length ? [] : ["\u00a0"]));
    shown.forEach((score, index) => {
      if (index) this.figures.append(" · ");
      const said = element("span", index < failed.length ? "wrong" : "", this.figures);
      said.textContent = figure(score) || tagName(words, score.gate);
    });
  }

  show(url) {
    if (this.url === url) return;
    this.url = url;
    if (url) this.image.src = url;
    else this.image.removeAttribute("src");
    this.frame.classList.toggle("bare", !url);
  }

  /** How far the sampling of this shot is, from 0 to 1. */
  progress(share) {
    this.done.style.transform = `scaleX(${share})`;
  }
}
