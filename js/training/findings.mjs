// What is wrong with the dataset, above the curves: one line that opens to the whole list.

import { element } from "../common/elements.mjs";

export class Findings {
  constructor(parent, words) {
    this.words = words;
    this.element = element("details", "findings", parent);
    this.head = element("summary", "", this.element);
    this.list = element("ul", "", this.element);
    this.draw(null);
  }

  /** `lint`: {number, count, findings: [{says, effect}]} with the gravest first, or nothing. */
  draw(lint) {
    this.element.hidden = !lint;
    if (!lint || lint === this.drawn) return;
    this.drawn = lint;
    this.head.textContent = this.words("dataset", { number: lint.number, count: lint.count });
    this.list.replaceChildren(
      ...lint.findings.map(({ says, effect }) => {
        const line = element("li");
        element("b", "", line).textContent = says;
        line.append(` ${effect}`);
        return line;
      }),
    );
    const left = lint.count - lint.findings.length;
    if (left > 0) element("li", "", this.list).textContent = this.words("more", { count: left });
  }
}
