// One shot in the grid.

import { element } from "../common/elements.mjs";
import { pending } from "./decisions.mjs";
import { icon } from "./icons.mjs";
import { detailOf, figure, named, sentences, stateOf, titleOf } from "./said.mjs";

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

  /** Draws `cell`; `entry` is what was decided about it, `url` its picture's address, "" for none. */
  draw(cell, entry, url, axes, words) {
    const state = stateOf(cell, entry);
    const next = pending(cell, entry);
    const said = sentences(cell, entry, words);
    this.element.className = `cell ${state}${next ? " pending" : ""}`;
    this.show(url);
    if (this.shown !== state) {
      this.shown = state;
      this.mark.replaceChildren(icon(state));
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
      said.textContent = figure(score) || named(words, score.gate);
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
