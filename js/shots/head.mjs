// The line over the grid: how many are made or kept, which shot is at hand, and the sheet.

import { element, isRunning } from "../common/elements.mjs";
import { isKept, titleOf } from "./said.mjs";

export class Head {
  constructor(parent, words, outputUrl) {
    this.words = words;
    this.outputUrl = outputUrl;
    const line = element("div", "head", parent);
    this.count = element("b", "", line);
    this.rest = element("span", "rest", line);
    this.rest.setAttribute("role", "status");
    this.sheet = element("a", "go", line);
    Object.assign(this.sheet, { target: "_blank", rel: "noopener", textContent: words("sheet") });
    this.bar = element("i", "", element("div", "bar", parent));
  }

  /** `entryOf` gives what was decided about a shot; `preview` is how far the one at hand is. */
  draw(view, entryOf, preview) {
    const { words } = this;
    const cells = view?.cells ?? [];
    const running = isRunning(view);
    const total = cells.length;
    const done = cells.filter((cell) => cell.key).length;
    const kept = cells.filter((cell) => isKept(cell, entryOf(cell))).length;
    this.count.textContent = view ? words(running ? "making" : "kept", { done, kept, total }) : "";
    this.rest.textContent = running ? this.atHand(cells, preview) : this.outcome(view);
    this.sheet.style.display = view?.sheet ? "" : "none";
    if (view?.sheet) this.sheet.href = this.outputUrl(view.sheet);
    this.bar.parentElement.style.visibility = running ? "" : "hidden";
    const share = running && preview ? preview.step / preview.steps : 0;
    this.bar.style.transform = `scaleX(${total ? Math.min(1, (done + share) / total) : 0})`;
  }

  /** The shot that is being made, its try, and the step. */
  atHand(cells, preview) {
    const cell = cells.find((one) => one.state === "sampling" || one.state === "retried");
    if (!cell) return this.words("preparing");
    const parts = [titleOf(cell, this.words)];
    if (cell.attempt > 1) parts.push(this.words("trying", { attempt: cell.attempt }));
    if (preview) parts.push(this.words("step", preview));
    return parts.join(" · ");
  }

  outcome(view) {
    if (view?.state === "cancelled") return this.words("cancelled");
    return view?.state === "failed" ? this.words("failed_run") : "";
  }
}
