// A picture at its full size, over the page.

import { button, element } from "../common/elements.mjs";

export class Viewer {
  /** `turn(by)` goes to another picture, `toggle()` leaves it out or takes it in. */
  constructor(words, { turn, toggle, closed }) {
    this.words = words;
    this.element = element("dialog", "facet-panel facet-viewer");
    const stage = element("div", "stage", this.element);
    this.image = element("img", "", stage);
    this.turner(stage, "left", "‹", words("earlier"), () => turn(-1));
    this.turner(stage, "right", "›", words("later"), () => turn(1));
    this.said = element("div", "said", this.element);
    this.said.setAttribute("role", "status");
    const low = element("div", "low", this.element);
    this.toggle = button(low, "", () => toggle());
    this.closing = button(low, words("close"), () => this.element.close());
    this.element.addEventListener("keydown", (event) => {
      event.stopPropagation(); // The page has keys of its own.
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (by) turn(by);
      else if (["x", "i", "Delete"].includes(event.key)) toggle(event.key === "i");
      else return;
      event.preventDefault();
    });
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
    this.element.addEventListener("close", () => {
      this.element.remove();
      closed();
    });
  }

  get isOpen() {
    return this.element.open;
  }

  turner(parent, side, text, label, pressed) {
    const made = button(parent, text, pressed);
    made.className = `turn ${side}`;
    made.setAttribute("aria-label", label);
  }

  /** Shows the picture at `url`: its `title`, what is `said` of it, and whether it is in. */
  show({ url, title, said, include }) {
    if (this.image.dataset.url !== url) {
      this.image.dataset.url = url;
      this.image.src = url;
    }
    this.image.alt = title;
    this.said.replaceChildren();
    element("b", "", this.said).textContent = title;
    this.said.append(said);
    this.toggle.textContent = this.words(include ? "leave_out" : "take_in");
    if (this.isOpen) return;
    document.body.append(this.element);
    this.element.showModal();
    this.closing.focus();
  }

  close() {
    if (this.isOpen) this.element.close();
    this.element.remove();
  }
}
