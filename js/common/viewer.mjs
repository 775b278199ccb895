// An image at its full size, over the page.

import { button, element, turnOf } from "./elements.mjs";

export class Viewer {
  /**
   * `turn(by)` goes to another image, `press(event)` does what any other key means and says whether
   * it means something, `closed()` is told at the end.
   */
  constructor(words, { turn, press, closed }) {
    this.element = element("dialog", "facet-panel facet-viewer");
    const stage = element("div", "stage", this.element);
    this.image = element("img", "", stage);
    this.left = turner("left", "‹", words("earlier"), -1);
    this.right = turner("right", "›", words("later"), 1);
    this.said = element("div", "said", this.element);
    this.said.setAttribute("role", "status");
    const low = element("div", "low", this.element);
    /** The place for what can be done with the image. */
    this.actions = element("div", "actions", low);
    this.closing = button(low, words("close"), () => this.element.close());
    this.closing.className = "close";
    this.element.addEventListener("keydown", (event) => {
      event.stopPropagation(); // The page has keys of its own.
      const by = turnOf(event.key);
      if (by) turn(by);
      else if (!press(event)) return;
      event.preventDefault();
    });
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
    this.element.addEventListener("close", () => {
      this.element.remove();
      closed();
    });

    function turner(side, text, label, by) {
      const made = button(stage, text, () => turn(by));
      made.className = `turn ${side}`;
      made.setAttribute("aria-label", label);
      return made;
    }
  }

  get isOpen() {
    return this.element.open;
  }

  /** Shows the image at `url`, number `place` of `total`, with its `title`, and `said` beneath. */
  show({ url, title, said, place, total }) {
    if (this.image.dataset.url !== url) {
      this.image.dataset.url = url;
      this.image.src = url;
    }
    this.image.alt = title;
    this.said.replaceChildren();
    element("b", "", this.said).textContent = title;
    this.said.append(...said);
    this.left.disabled = place === 1;
    this.right.disabled = place === total;
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
