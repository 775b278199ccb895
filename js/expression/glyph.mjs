// A small face for each preset, drawn from its sliders.

import { drawing } from "../common/elements.mjs";

/** An SVG of a face on which the sliders stand at `values`; r is at the left, as in an image. */
export const glyph = (values) => drawing(facePaths(values), 32, 30);

/** The paths {d, kind} of that face, 32 by 30. */
export function facePaths(values) {
  const at = (name) => values[name] ?? 0;
  return [...sidePaths(at, "r", -1), ...sidePaths(at, "l", 1), mouthPath(at)];
}

function sidePaths(at, side, sign) {
  const x = (away) => 16 + sign * away;
  const inner = 7 - 2.6 * at(`brow_inner_${side}`) + 1.8 * at("brow_furrow");
  const outer = 7.2 - 2.4 * at(`brow_outer_${side}`);
  const begin = `M${x(2.9 - 0.6 * at("brow_furrow"))} ${inner}`;
  const brow = `${begin}Q${x(7)} ${Math.min(inner, outer) - 0.9} ${x(10.5)} ${outer}`;
  const lids = 1.9 + 0.9 * at(`wide_${side}`) - 0.6 * at(`squint_${side}`);
  const open = Math.max(0, 1 - at(`blink_${side}`)) * lids;
  const lash = at(`cheek_${side}`) > 0.3 ? -1.9 : 1.7;
  const eye =
    open > 0.5
      ? { kind: "full", d: `M${x(6.6) - 1.7} 13a1.7 ${open} 0 1 1 3.4 0a1.7 ${open} 0 1 1 -3.4 0z` }
      : { d: `M${x(4.4)} 13q${sign * 2.2} ${lash} ${sign * 4.4} 0` };
  return [{ d: brow }, eye];
}

function mouthPath(at) {
  const corner = (side, sign) => [
    16 + sign * (5 + 1.9 * at(`smile_${side}`) + 1.4 * at(`stretch_${side}`) - 3 * at("pucker")),
    22.4 - 2.4 * at(`smile_${side}`) + 2 * at(`frown_${side}`),
  ];
  const [[x0, y0], [x1, y1]] = [corner("r", -1), corner("l", 1)];
  const raised = (at("upper_raise_r") + at("upper_raise_l")) / 2;
  const curve = (at("smile_r") + at("smile_l")) * 1.6 - (at("frown_r") + at("frown_l")) * 1.5;
  const open = 9 * at("jaw_open") + 1.6 * Math.max(0, at("lower_drop")) + 2 * at("pucker");
  const part = Math.max(curve, -3) * (open > 2 ? 0.3 : 1);
  const upper = 22.4 + part - 1.2 * raised - 0.8 * at("pucker");
  if (open <= 1.2) return { d: `M${x0} ${y0}Q16 ${upper + open} ${x1} ${y1}` };
  const lower = upper + 2 * open;
  return { kind: "full", d: `M${x0} ${y0}Q16 ${upper} ${x1} ${y1}Q16 ${lower} ${x0} ${y0}z` };
}
