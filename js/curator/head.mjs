// The lines over and under the gallery: the number, how many pictures are in, and going on.

import { button, element } from "../common/elements.mjs";

const GOOD = 80;
const FAIR = 50;

export class Head {
  /** `goOn()` has what comes after run; `again()` has it wait for the same pictures again. */
  constructor(parent, words, { goOn, again, overview }) {
    this.words = words;
    this.element = element("div", "head", parent);
    this.number = button(this.element, "", overview);
    this.number.className = "number";
    this.count = element("b", "", this.element);
    this.rest = element("span", "rest", this.element);
    this.rest.setAttribute("role", "status");
    this.go = button(this.element, "", () => (this.approved ? again() : goOn()));
    this.go.className = "go";
  }

  /** `stale`: something was decided since the number was measured. */
  draw(view, { inside, total, findings, stale, approved }) {
    const { words } = this;
    this.element.style.display = view ? "" : "none";
    if (!view) return;
    const { number } = view.report;
    const grade = number >= GOOD ? "good" : number >= FAIR ? "fair" : "poor";
    this.number.className = `number ${grade}${stale ? " stale" : ""}`;
    this.number.textContent = `${number}/100`;
    this.number.title = words(stale ? "about_stale" : "about_number");
    this.count.textContent = words("inside", { inside, total });
    const said = [words(findings === 1 ? "one_finding" : "findings", { count: findings })];
    if (stale) said.push(words("stale"));
    const waits = view.review && !approved && view.held;
    if (waits) said.unshift(words("waiting"));
    this.rest.textContent = said.join(" · ");
    this.approved = approved;
    this.go.style.display = view.review ? "" : "none";
    this.go.textContent = words(approved ? "approved" : "go_on");
    this.go.title = words(approved ? "about_again" : "about_go_on");
    this.go.setAttribute("aria-pressed", String(approved));
  }
}
