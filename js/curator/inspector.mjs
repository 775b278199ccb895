// Beside the gallery: the pictures that are chosen, or what is wrong with all of them.

import { element } from "../common/elements.mjs";
import { Fields } from "./fields.mjs";
import { Findings } from "./findings.mjs";

const MOST_IMAGES = 4;

export class Inspector {
  /** `gallery` gives the view and the pictures, and takes what is decided. */
  constructor(parent, words, gallery) {
    this.words = words;
    this.gallery = gallery;
    this.element = element("div", "inspector", parent);
    this.element.dataset.captureWheel = "true";
    this.element.tabIndex = -1;
    this.images = element("div", "pictures", this.element);
    this.images.addEventListener("click", () => gallery.enlarge());
    this.title = element("div", "title", this.element);
    this.findings = new Findings(this.element, words, {
      fix: (values) => gallery.choices.decide(values),
      only: (kind) => gallery.filters.want("kind", kind),
    });
    this.fields = new Fields(this.element, words, {
      decide: (values) => gallery.decide(values),
      leave: () => gallery.list.element.focus({ preventScroll: true }),
    });
  }

  /** Draws the pictures `chosen`, each {shot, now, findings}; all of them when there are none. */
  draw(chosen) {
    const { view, filters } = this.gallery;
    this.element.style.display = view ? "" : "none";
    if (!view) return;
    this.drawImages(chosen);
    this.fields.element.style.display = chosen.length ? "" : "none";
    if (chosen.length) this.fields.draw(chosen, view.vocabulary);
    const { kind } = filters.wanted;
    if (!chosen.length) {
      const clean = this.words("clean");
      this.findings.draw(this.gallery.findings, { skipped: view.report.skipped, kind, clean });
      return;
    }
    const among = new Set(chosen.map((one) => one.hash));
    const theirs = this.gallery.findings.filter(({ shots }) =>
      shots.some((hash) => among.has(hash)),
    );
    this.findings.draw(theirs, { among, kind });
  }

  drawImages(chosen) {
    const { words, gallery } = this;
    const urls = chosen
      .slice(0, MOST_IMAGES)
      .map(({ shot }) => gallery.imageUrl(gallery.view, shot));
    if (this.shownUrls !== urls.join("\n")) {
      this.shownUrls = urls.join("\n");
      this.images.replaceChildren(
        ...urls.map((src) => Object.assign(element("img"), { src, alt: "", draggable: false })),
      );
      this.element.scrollTop = 0;
    }
    this.images.dataset.count = String(urls.length);
    this.images.style.display = urls.length ? "" : "none";
    this.title.textContent = chosen.length ? this.titleOf(chosen) : words("whole");
  }

  titleOf(chosen) {
    if (chosen.length > 1) return this.words("chosen", { count: chosen.length });
    const [{ shot }] = chosen;
    const [width, height] = shot.size;
    return [shot.original ? this.words("original") : "", shot.name, `${width} × ${height}`]
      .filter(Boolean)
      .join(" · ");
  }

  editCaption() {
    this.fields.caption.focus();
    this.fields.caption.select();
  }
}
