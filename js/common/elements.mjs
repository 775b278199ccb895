// The small things that panels are built of.

const SVG = "http://www.w3.org/2000/svg";

/**
 * A new element of class `kind`, at the end of `parent` where one is given.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} [kind]
 * @param {Element} [parent]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, kind, parent) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  parent?.append(made);
  return made;
}

/**
 * @param {Element} parent
 * @param {string} text
 * @param {(event: MouseEvent) => void} pressed
 */
export function button(parent, text, pressed) {
  const made = element("button", "", parent);
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", pressed);
  return made;
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} [attributes]
 * @param {Element} [parent]
 * @returns {SVGElementTagNameMap[Name]}
 */
export function svgElement(name, attributes = {}, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  parent?.append(made);
  return made;
}

/** A drawing of `paths`, each {d, kind}, `width` by `height`, in the colour of the text around it. */
export function drawing(paths, width = 16, height = 16) {
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const { d, kind = "" } of paths) svgElement("path", { d, class: kind }, svg);
  return svg;
}

/** Calls `draw` once before the page's next frame, however often it is asked to. */
export function onceAFrame(draw) {
  let frame = null;
  return () =>
    (frame ??= requestAnimationFrame(() => {
      frame = null;
      draw();
    }));
}

/** Runs `ask` one at a time, and once more when it was called while an answer was on its way. */
export function oneAtATime(ask) {
  let asking = null;
  let again = false;
  async function askAll() {
    do {
      again = false;
      await ask();
    } while (again);
  }
  return () => {
    again = true; // By now the page may show another graph.
    return (asking ??= askAll().finally(() => (asking = null)));
  };
}

/** What an arrow key means in a row of things: −1, 1, or undefined. */
export const turnOf = (key) => ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 })[key];

export const lastOf = (list) => list[list.length - 1];

/** Whether what a node does is still under way. */
export const isRunning = (view) => view?.state === "running" || view?.state === "preparing";
