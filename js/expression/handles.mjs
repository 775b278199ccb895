// What can be taken hold of in the face: a landmark each, and the sliders that pulling it moves.

/** How far a warp turns a head, in degrees. */
export const MOST_TURN = 8;

const BOTH_SIDES = [
  { part: "brow_inner", points: { r: 107, l: 336 }, sliders: ["brow_inner", "brow_furrow"] },
  { part: "brow_outer", points: { r: 63, l: 293 }, sliders: ["brow_outer"] },
  { part: "upper_lid", points: { r: 159, l: 386 }, sliders: ["blink", "wide"] },
  { part: "lower_lid", points: { r: 145, l: 374 }, sliders: ["squint"] },
  { part: "iris", points: { r: 468, l: 473 }, sliders: ["gaze_x", "gaze_y"] },
  { part: "nose_wing", points: { r: 64, l: 294 }, sliders: ["nose_flare", "sneer"] },
  { part: "cheek", points: { r: 50, l: 280 }, sliders: ["cheek"] },
  { part: "mouth_corner", points: { r: 61, l: 291 }, sliders: ["smile", "frown", "stretch"] },
  { part: "upper_lip", points: { r: 39, l: 269 }, sliders: ["upper_raise"] },
];
const IN_THE_MIDDLE = [
  { part: "nose_tip", point: 4, sliders: ["nose_lift"] },
  { part: "lower_lip", point: 17, sliders: ["lower_drop"] },
  { part: "chin", point: 152, sliders: ["jaw_open", "jaw_side"] },
  {
    part: "head",
    point: 151,
    sliders: ["head_yaw", "head_pitch"],
    // A degree moves the middle of a face by so many outer-eye distances.
    vectors: { head_yaw: [0.014, 0], head_pitch: [0, -0.014] },
    most: MOST_TURN,
  },
];

/** What pulling does not take below zero: there is another slider for that way. */
const ONE_WAY = new Set([
  "blink",
  "wide",
  "squint",
  "smile",
  "frown",
  "sneer",
  "upper_raise",
  "cheek",
]);

/** Every handle: {name, part, side, point, sliders, vectors}. */
export function handles(rig) {
  const sided = BOTH_SIDES.flatMap(({ part, points, sliders }) =>
    ["r", "l"].map((side) => ({
      name: `${part}_${side}`,
      part,
      side,
      point: points[side],
      sliders: sliders.map((one) => (rig.sliders.has(one) ? one : `${one}_${side}`)),
    })),
  );
  const single = IN_THE_MIDDLE.map((one) => ({ ...one, name: one.part, side: "" }));
  return [...sided, ...single].filter(({ sliders }) =>
    sliders.every((one) => rig.sliders.has(one)),
  );
}

/** What `pulled` has to know of a handle's sliders on a face, where they stand at `totals`. */
export function partsOf(handle, rig, face, totals) {
  return handle.sliders.map((name) => {
    const { low, high } = rig.sliders.get(name);
    const start = totals[name] ?? 0;
    const floor = ONE_WAY.has(name.replace(/_[rl]$/, ""))
      ? 0
      : Math.max(low, -(handle.most ?? Infinity));
    const ceiling = Math.min(high, handle.most ?? Infinity);
    const vector = handle.vectors?.[name] ?? rig.vector(name, handle.point, face);
    return { name, vector, low: Math.min(floor, start), high: Math.max(ceiling, start), start };
  });
}
