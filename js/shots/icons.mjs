// One shape for each state, so that no state is told by its colour alone.

const PATHS = {
  accepted: "M2.8 8.4l3.3 3.3 7.1-7.4",
  failed: "M8 2.2l6.2 11.2H1.8zM8 6.6v3.1M8 11.4v.2",
  retried: "M13.2 8a5.2 5.2 0 1 1-1.6-3.8M13.4 1.8v2.9h-2.9",
  sampling: "M8 2.2a5.8 5.8 0 0 1 5.8 5.8",
  waiting: "M8 3.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2",
  pinned: "M5.4 2.4h5.2M6.2 2.6v4L4 9.2h8L9.8 6.6v-4M8 9.2v4.6",
  dropped: "M3.4 3.4l9.2 9.2M12.6 3.4l-9.2 9.2",
};

const SVG = "http://www.w3.org/2000/svg";

/** The shape of `state`, in the colour of the text around it. */
export function icon(state) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[state] ?? PATHS.waiting);
  svg.append(path);
  return svg;
}
