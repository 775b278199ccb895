// The small things that panels are built of.

export function element(name, kind, parent) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  parent?.append(made);
  return made;
}

export function button(parent, text, pressed) {
  const made = element("button", "", parent);
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", pressed);
  return made;
}

/** Calls `draw` once before the next picture of the page, however often it is asked to. */
export function onceAFrame(draw) {
  let frame = null;
  return () =>
    (frame ??= requestAnimationFrame(() => {
      frame = null;
      draw();
    }));
}

export const lastOf = (list) => list[list.length - 1];
