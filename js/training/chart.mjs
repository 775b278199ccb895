// The chart: an SVG, so that it stays sharp at every zoom and takes its colours from the theme.

const SVG = "http://www.w3.org/2000/svg";
const EDGE = { left: 38, right: 10, top: 10, bottom: 20 };

function make(parent, name, kind, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  if (kind) element.setAttribute("class", kind);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent.append(element);
  return element;
}

const round = (value) => Math.round(value * 10) / 10;
const line = (points) => (points.length ? `M${points.map((p) => p.map(round).join(",")).join("L")}` : "");

/** Two to five round numbers from `low` to `high`. */
export function ticks(low, high, wanted = 3) {
  if (!(high > low)) return [];
  const raw = (high - low) / wanted;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((one) => one >= raw);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) {
    found.push(Number((n * step).toPrecision(6)));
  }
  return found;
}

/** The losses to show: all that are smoothed or held out, and nearly all of the single ones. */
export function lossRange(rows, validation) {
  const single = rows.map((row) => row[1]).sort((a, b) => a - b);
  const aside = Math.floor(single.length / 50);
  const shown = [single[aside], single[single.length - 1 - aside]];
  for (const row of rows) if (row[2] != null) shown.push(row[2]);
  for (const [, value] of validation) shown.push(value);
  let low = Infinity;
  let high = -Infinity;
  for (const value of shown) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const room = 0.06 * (high - low) || 0.1 * Math.abs(high) || 1;
  return [Math.max(0, low - room), high + room];
}

/** Single losses as a line through the lowest and the highest of each pixel's column. */
function columns(rows, x, y) {
  const found = new Map();
  for (const [step, loss] of rows) {
    const at = Math.round(x(step));
    const seen = found.get(at);
    if (seen) {
      seen[0] = Math.min(seen[0], loss);
      seen[1] = Math.max(seen[1], loss);
    } else {
      found.set(at, [loss, loss]);
    }
  }
  const points = [];
  for (const [at, [low, high]] of found) {
    points.push([at, y(low)]);
    if (high > low) points.push([at, y(high)]);
  }
  return points;
}

/** A curve with no more points than the eye can tell apart. */
function curve(points, width) {
  const stride = Math.max(1, Math.floor(points.length / (2 * width)));
  return points.filter((_, index) => index % stride === 0 || index === points.length - 1);
}

export class Chart {
  /** `onStep` is told the step under the pointer, and null when it leaves. */
  constructor(onStep) {
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "facet-chart");
    this.svg.setAttribute("role", "img");
    this.onStep = onStep;
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.leave());
  }

  /** Draws `course` in `width` by `height` px; `words` names the best checkpoint. */
  draw(course, width, height, words) {
    const svg = this.svg;
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.x = null;
    const rows = course?.rows ?? [];
    if (!rows.length || width < 80 || height < 50) return;

    const [right, bottom] = [width - EDGE.right, height - EDGE.bottom];
    const last = Math.max(course.steps, rows[rows.length - 1][0], 1);
    const scale = (low, high) => (value) => {
      const share = (Math.min(Math.max(value, low), high) - low) / (high - low);
      return bottom - (bottom - EDGE.top) * share;
    };
    const x = (step) => EDGE.left + ((right - EDGE.left) * step) / last;
    const [low, high] = lossRange(rows, course.validation);
    const y = scale(low, high);

    for (const tick of ticks(low, high, height > 200 ? 4 : 3)) {
      make(svg, "path", "grid", { d: `M${EDGE.left},${round(y(tick))}H${right}` });
      const at = { x: EDGE.left - 6, y: round(y(tick)) + 3, "text-anchor": "end" };
      make(svg, "text", "tick", at).textContent = String(tick);
    }
    for (const tick of ticks(0, last, width > 560 ? 8 : 4)) {
      const anchor = x(tick) > right - 14 ? "end" : tick ? "middle" : "start";
      const at = { x: round(x(tick)), y: height - 5, "text-anchor": anchor };
      make(svg, "text", "tick", at).textContent = String(tick);
    }
    make(svg, "path", "axis", { d: `M${EDGE.left},${bottom}H${right}` });

    const rates = rows.filter((row) => row[3] != null);
    const top = Math.max(...rates.map((row) => row[3]), 0);
    if (top) {
      const rate = scale(0, top * 1.05);
      const points = rates.map((row) => [x(row[0]), rate(row[3])]);
      make(svg, "path", "rate", { d: line(curve(points, width)) });
    }
    make(svg, "path", "single", { d: line(columns(rows, x, y)) });
    const smoothed = rows.filter((row) => row[2] != null).map((row) => [x(row[0]), y(row[2])]);
    make(svg, "path", "smoothed", { d: line(curve(smoothed, width)) });
    this.measured("validation", course.validation.map(([step, value]) => [x(step), y(value)]));
    const lowest = Math.min(0, ...course.identity.map(([, value]) => value));
    const likeness = scale(lowest, 1);
    this.measured("identity", course.identity.map(([step, value]) => [x(step), likeness(value)]));

    for (const step of course.checkpoints) {
      if (step !== course.best) make(svg, "circle", "saved", { cx: round(x(step)), cy: bottom, r: 2.5 });
    }
    if (course.best != null) {
      const at = round(x(course.best));
      make(svg, "path", "best", { d: `M${at},${EDGE.top}V${bottom}` });
      make(svg, "circle", "best", { cx: at, cy: bottom, r: 4 });
      const left = at > width - 90;
      const place = { x: at + (left ? -6 : 6), y: EDGE.top + 8, "text-anchor": left ? "end" : "start" };
      make(svg, "text", "best", place).textContent = words("best", { step: course.best });
    }
    this.hair = make(svg, "path", "hair", { d: "", visibility: "hidden" });
    this.spot = make(svg, "circle", "spot", { r: 3.5, visibility: "hidden" });
    Object.assign(this, { x, y, rows, width, last, bottom, right });
    if (this.hovered != null) this.mark(this.hovered);
  }

  measured(kind, points) {
    make(this.svg, "path", kind, { d: line(points) });
    for (const [cx, cy] of points) {
      make(this.svg, "circle", kind, { cx: round(cx), cy: round(cy), r: 2.75 });
    }
  }

  point(event) {
    if (!this.x) return;
    const box = this.svg.getBoundingClientRect(); // in screen px: the canvas may be zoomed
    const at = ((event.clientX - box.left) / box.width) * this.width;
    const step = ((at - EDGE.left) / (this.right - EDGE.left)) * this.last;
    let nearest = this.rows[0];
    for (const row of this.rows) {
      if (Math.abs(row[0] - step) < Math.abs(nearest[0] - step)) nearest = row;
    }
    this.mark(nearest[0]);
    this.onStep(nearest[0]);
  }

  mark(step) {
    const row = this.rows.find((one) => one[0] === step);
    if (!row) return;
    this.hovered = step;
    this.hair.setAttribute("d", `M${round(this.x(step))},${EDGE.top}V${this.bottom}`);
    this.spot.setAttribute("cx", round(this.x(step)));
    this.spot.setAttribute("cy", round(this.y(row[2] ?? row[1])));
    for (const element of [this.hair, this.spot]) element.setAttribute("visibility", "visible");
  }

  leave() {
    this.hovered = null;
    for (const element of [this.hair, this.spot]) element?.setAttribute("visibility", "hidden");
    this.onStep(null);
  }
}
