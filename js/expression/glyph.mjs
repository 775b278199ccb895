// A small face for each preset, drawn from its sliders.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG of a face on which the sliders stand at `values`; r is at the left, as in a picture. */
export function glyph(values) {
  const at = (name) => values[name] ?? 0;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 32 30");
  svg.setAttribute("aria-hidden", "true");
  for (const [side, sign] of [["r", -1], ["l", 1]]) drawSide(svg, at, side, sign);
  drawMouth(svg, at);
  return svg;
}

function path(svg, kind, d) {
  const made = document.createElementNS(SVG, "path");
  made.setAttribute("d", d);
  if (kind) made.setAttribute("class", kind);
  svg.append(made);
}

function drawSide(svg, at, side, sign) {
  const x = (away) => 16 + sign * away;
  const inner = 7 - 2.6 * at(`brow_inner_${side}`) + 1.8 * at("brow_furrow");
  const outer = 7.2 - 2.4 * at(`brow_outer_${side}`);
  path(svg, "", `M${x(2.9 - 0.6 * at("brow_furrow"))} ${inner}Q${x(7)} ${Math.min(inner, outer) - 0.9} ${x(10.5)} ${outer}`);
  const open = Math.max(0, 1 - at(`blink_${side}`)) * (1.9 + 0.9 * at(`wide_${side}`) - 0.6 * at(`squint_${side}`));
  if (open > 0.5) {
    path(svg, "full", `M${x(6.6) - 1.7} 13a1.7 ${open} 0 1 1 3.4 0a1.7 ${open} 0 1 1 -3.4 0z`);
  } else {
    path(svg, "", `M${x(4.4)} 13q${sign * 2.2} ${at(`cheek_${side}`) > 0.3 ? -1.9 : 1.7} ${sign * 4.4} 0`);
  }
}

function drawMouth(svg, at) {
  const corner = (side, sign) => [
    16 + sign * (5 + 1.9 * at(`smile_${side}`) + 1.4 * at(`stretch_${side}`) - 3 * at("pucker")),
    22.4 - 2.4 * at(`smile_${side}`) + 2 * at(`frown_${side}`),
  ];
  const [[x0, y0], [x1, y1]] = [corner("r", -1), corner("l", 1)];
  const raised = (at("upper_raise_r") + at("upper_raise_l")) / 2;
  const curve = (at("smile_r") + at("smile_l")) * 1.6 - (at("frown_r") + at("frown_l")) * 1.5;
  const open = 9 * at("jaw_open") + 1.6 * Math.max(0, at("lower_drop")) + 2 * at("pucker");
  const upper = 22.4 + Math.max(curve, -3) * (open > 2 ? 0.3 : 1) - 1.2 * raised - 0.8 * at("pucker");
  if (open > 1.2) path(svg, "full", `M${x0} ${y0}Q16 ${upper} ${x1} ${y1}Q16 ${upper + 2 * open} ${x0} ${y0}z`);
  else path(svg, "", `M${x0} ${y0}Q16 ${upper + open} ${x1} ${y1}`);
}
