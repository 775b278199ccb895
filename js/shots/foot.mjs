// Under the grid: what is known of the shot that is chosen, and what can be decided about it.

import { element } from "../common/elements.mjs";
import { Actions } from "./actions.mjs";
import { pending } from "./decisions.mjs";
import { detailOf, sentences, titleOf, varied } from "./said.mjs";

export class Foot {
  constructor(parent, words, act) {
    this.words = words;
    this.element = element("div", "foot", parent);
    this.about = element("div", "about", this.element);
    this.actions = new Actions(this.element, words, act);
  }

  /** `cell` is the shot that is chosen, if one is. */
  draw(view, cell, entryOf) {
    const cells = view?.cells ?? [];
    this.element.style.display = cells.length ? "" : "none";
    this.about.replaceChildren();
    this.about.title = "";
    if (cell) this.describe(cell, entryOf(cell), varied(cells));
    else if (view?.state === "failed") this.line("wrong", view.note);
    else {
      const count = cells.filter((one) => pending(one, entryOf(one))).length;
      this.line(count ? "next" : "", this.words(count ? "changes" : "hint", { count }));
    }
    this.actions.draw(cell, cell && entryOf(cell));
  }

  describe(cell, entry, axes) {
    const { measured, next } = sentences(cell, entry, this.words);
    const title = [titleOf(cell, this.words), detailOf(cell, axes, this.words)];
    element("b", "", this.about).textContent = title.filter(Boolean).join(", ");
    this.about.append(` · ${measured}`);
    if (next) this.line("next", ` · ${next}`);
    this.about.title = `${cell.name}\n${measured}`;
  }

  line(kind, text) {
    element("span", kind, this.about).textContent = text;
  }
}
