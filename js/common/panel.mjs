// What every panel is to its node, and the style sheets of panels.

import { element } from "./elements.mjs";

export class Panel {
  /** `resized` is called when the node has to make room. */
  constructor(kind, minHeight, resized = () => {}) {
    this.element = element("div", `facet-panel facet-${kind}`);
    this.minHeight = minHeight;
    this.resized = resized;
  }

  /** Asks for `height` px when that is another height than before. */
  need(height) {
    if (Math.abs(height - this.minHeight) < 2) return;
    this.minHeight = height;
    this.element.style.minHeight = `${height}px`; // what nodes drawn by Vue go by
    this.resized();
  }

  /** The node is gone. */
  close() {}
}

const sheets = new Map();

/** Puts style sheets, given by their paths in js/, into the page; done when they hold. */
export async function styles(...paths) {
  const loaded = ["common/panel.css", ...paths].map((path) => {
    if (!sheets.has(path)) sheets.set(path, load(new URL(`../${path}`, import.meta.url).href));
    return sheets.get(path);
  });
  await Promise.all(loaded);
}

function load(href) {
  const link = Object.assign(element("link", "", document.head), { rel: "stylesheet", href });
  // A panel without its looks still works, so a sheet that does not come holds nothing up.
  return new Promise((done) => (link.onload = link.onerror = done));
}
