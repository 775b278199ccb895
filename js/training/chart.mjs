// The chart: an SVG, so that it stays sharp at every zoom and takes its colours from the theme.

import { lastOf, svgElement } from "../common/elements.mjs";

const EDGE = { left: 38, right: 10, top: 10, bottom: 20 };

const round = (value) => Math.round(value * 10) / 10;
const line = (points) =>
  points.length ? `M${points.map((p) => p.map(round).join(",")).join("L")}` : "";

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

/** Where everything of `view` stands in `width` by `height` px: x of a step, y of a loss. */
function placed(view, width, height) {
  const { rows } = view;
  const [right, bottom] = [width - EDGE.right, height - EDGE.bottom];
  const last = Math.max(view.steps, lastOf(rows)[0], 1);
  const scale = (low, high) => (value) => {
    const share = (Math.min(Math.max(value, low), high) - low) / (high - low);
    return bottom - (bottom - EDGE.top) * share;
  };
  const x = (step) => EDGE.left + ((right - EDGE.left) * step) / last;
  const [low, high] = lossRange(rows, view.validation);
  return { rows, width, height, right, bottom, last, low, high, scale, x, y: scale(low, high) };
}

export class Chart {
  /** The step under the pointer, or null. */
  hovered = null;
  /** Where everything stands; null while nothing is drawn. */
  place = null;

  /** `onStep` is told the step under the pointer, and null when it leaves. */
  constructor(onStep) {
    this.svg = svgElement("svg", { class: "facet-chart", role: "img" });
    this.onStep = onStep;
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.leave());
  }

  /** Draws `view` in `width` by `height` px; `words` names the best checkpoint. */
  draw(view, width, height, words) {
    this.svg.replaceChildren();
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.place = null;
    if (!view?.rows.length || width < 80 || height < 50) return;
    this.place = placed(view, width, height);
    this.drawAxes();
    this.drawCurves(view);
    this.drawCheckpoints(view, words);
    this.hair = this.make("path", "hair", { d: "", visibility: "hidden" });
    this.spot = this.make("circle", "spot", { r: 3.5, visibility: "hidden" });
    if (this.hovered != null) this.mark(this.hovered);
  }

  make(name, kind, attributes) {
    return svgElement(name, { class: kind, ...attributes }, this.svg);
  }

  drawAxes() {
    const { width, height, right, bottom, last, low, high, x, y } = this.place;
    const label = (tick, at) => (this.make("text", "tick", at).textContent = String(tick));
    for (const tick of ticks(low, high, height > 200 ? 4 : 3)) {
      this.make("path", "grid", { d: `M${EDGE.left},${round(y(tick))}H${right}` });
      label(tick, { x: EDGE.left - 6, y: round(y(tick)) + 3, "text-anchor": "end" });
    }
    for (const tick of ticks(0, last, width > 560 ? 8 : 4)) {
      const anchor = x(tick) > right - 14 ? "end" : tick ? "middle" : "start";
      label(tick, { x: round(x(tick)), y: height - 5, "text-anchor": anchor });
    }
    this.make("path", "axis", { d: `M${EDGE.left},${bottom}H${right}` });
  }

  drawCurves({ validation, identity }) {
    const { rows, width, scale, x, y } = this.place;
    const rates = rows.filter((row) => row[3] != null);
    const top = Math.max(...rates.map((row) => row[3]), 0);
    const rate = scale(0, top * 1.05);
    const smoothed = rows.filter((row) => row[2] != null);
    const along = (those, at, ofY) =>
      curve(
        those.map((row) => [x(row[0]), ofY(row[at])]),
        width,
      );
    if (top) this.make("path", "rate", { d: line(along(rates, 3, rate)) });
    this.make("path", "single", { d: line(columns(rows, x, y)) });
    this.make("path", "smoothed", { d: line(along(smoothed, 2, y)) });
    const lowest = Math.min(0, ...identity.map(([, value]) => value));
    this.drawMeasured("validation", validation, y);
    this.drawMeasured("identity", identity, scale(lowest, 1));
  }

  drawMeasured(kind, measured, ofY) {
    const points = measured.map(([step, value]) => [this.place.x(step), ofY(value)]);
    this.make("path", kind, { d: line(points) });
    for (const [cx, cy] of points) {
      this.make("circle", kind, { cx: round(cx), cy: round(cy), r: 2.75 });
    }
  }

  drawCheckpoints({ checkpoints, best }, words) {
    const { width, bottom, x } = this.place;
    for (const step of checkpoints) {
      if (step === best) continue;
      this.make("circle", "saved", { cx: round(x(step)), cy: bottom, r: 2.5 });
    }
    if (best == null) return;
    const at = round(x(best));
    this.make("path", "best", { d: `M${at},${EDGE.top}V${bottom}` });
    this.make("circle", "best", { cx: at, cy: bottom, r: 4 });
    const [by, anchor] = at > width - 90 ? [-6, "end"] : [6, "start"];
    const place = { x: at + by, y: EDGE.top + 8, "text-anchor": anchor };
    this.make("text", "best", place).textContent = words("best", { step: best });
  }

  point(event) {
    if (!this.place) return;
    const { rows, width, last, right } = this.place;
    const box = this.svg.getBoundingClientRect(); // in screen px: the canvas may be zoomed
    const at = ((event.clientX - box.left) / box.width) * width;
    const step = ((at - EDGE.left) / (right - EDGE.left)) * last;
    let nearest = rows[0];
    for (const row of rows) {
      if (Math.abs(row[0] - step) < Math.abs(nearest[0] - step)) nearest = row;
    }
    this.mark(nearest[0]);
    this.onStep(nearest[0]);
  }

  mark(step) {
    const { x, y, rows, bottom } = this.place;
    const row = rows.find((one) => one[0] === step);
    if (!row) return;
    this.hovered = step;
    this.hair.setAttribute("d", `M${round(x(step))},${EDGE.top}V${bottom}`);
    this.spot.setAttribute("cx", round(x(step)));
    this.spot.setAttribute("cy", round(y(row[2] ?? row[1])));
    for (const element of [this.hair, this.spot]) element.setAttribute("visibility", "visible");
  }

  leave() {
    this.hovered = null;
    for (const element of [this.hair, this.spot]) element?.setAttribute("visibility", "hidden");
    this.onStep(null);
  }
}
