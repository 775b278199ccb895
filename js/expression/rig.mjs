// Where the sliders take a face's landmarks: the same table as in engine/generate/expression/rig.json, summed here
// while a handle is being dragged. The head's turn is left to the server, whose answer comes next.

const OUTER_EYES = [33, 263];

const twinOf = (name) => name.replace(/_([rl])$/, (_, side) => (side === "r" ? "_l" : "_r"));
export const sideOf = (name) => /_([rl])$/.exec(name)?.[1] ?? "";
export const baseOf = (name) => name.replace(/_[rl]$/, "");

export class Rig {
  /** `rig` is the table, `presets` are the sliders of each preset by its name. */
  constructor({ rig, presets }) {
    this.table = rig;
    this.presets = presets;
    this.sliders = new Map(rig.sliders.map((one) => [one.name, one]));
    this.curves = rig.template.flatMap((curve) => [curve.points, curve.mirrored]);
  }

  /** The slider that does the same on the other side, or undefined. */
  twin(name) {
    return sideOf(name) && this.sliders.get(twinOf(name))?.name;
  }

  clamped(name, value) {
    const { low, high } = this.sliders.get(name);
    return Math.min(high, Math.max(low, value));
  }

  weight(group, point) {
    const { points, weights } = this.table.groups[group];
    const at = points.indexOf(point);
    return at < 0 ? 0 : (weights?.[at] ?? 1);
  }

  /** How far `point` of a face goes for 1 of a slider: [u, v] in the face's frame. */
  vector(name, point, { landmarks, yaw }) {
    const frame = frameOf(landmarks, yaw);
    let [u, v] = [0, 0];
    for (const move of this.sliders.get(name).moves) {
      const weight = this.weight(move.group, point);
      if (!weight) continue;
      if (move.towards) {
        const goal = this.partner(move, point);
        const [across, down] = frame.inside(difference(landmarks[goal], landmarks[point]));
        u += move.share * across;
        v += move.share * down;
      } else {
        u += weight * (move.u ?? 0);
        v += weight * (move.v ?? 0);
      }
    }
    return [u, v];
  }

  partner(move, point) {
    const at = this.table.groups[move.group].points.indexOf(point);
    return this.table.groups[move.towards].points[at];
  }

  /** The landmarks [x, y] of a face, in pixels, after the sliders `values`. */
  moved({ landmarks, yaw }, values) {
    const frame = frameOf(landmarks, yaw);
    const to = landmarks.map((point) => [...point]);
    const late = [];
    for (const { name, moves } of this.table.sliders) {
      const value = values[name] ?? 0;
      if (!value) continue;
      for (const move of moves) {
        if (move.towards) late.push([move, value]);
        else this.shift(to, frame, move, value);
      }
    }
    const before = to.map((point) => [...point]);
    for (const [move, value] of late) {
      for (const point of this.table.groups[move.group].points) {
        const share = value * move.share;
        const way = difference(before[this.partner(move, point)], before[point]);
        to[point][0] += share * way[0];
        to[point][1] += share * way[1];
      }
    }
    return to;
  }

  shift(to, frame, move, value) {
    const [x, y] = frame.outside([move.u ?? 0, move.v ?? 0]);
    const { points, weights } = this.table.groups[move.group];
    points.forEach((point, at) => {
      const weight = value * (weights?.[at] ?? 1);
      to[point][0] += weight * x;
      to[point][1] += weight * y;
    });
  }
}

/** @returns {[number, number]} */
const difference = (a, b) => [a[0] - b[0], a[1] - b[1]];

/**
 * The face's frame: u along the eyes to the picture's right, v down, in outer-eye distances as they
 * would be seen from the front; `yaw` is how far the head is turned, in degrees.
 *
 * @param {import("../types").Point[]} landmarks
 */
export function frameOf(landmarks, yaw = 0) {
  const [right, left] = OUTER_EYES.map((point) => landmarks[point]);
  const width = Math.hypot(left[0] - right[0], left[1] - right[1]) || 1;
  const height = width / Math.cos((Math.min(60, Math.abs(yaw)) * Math.PI) / 180);
  const [cos, sin] = [(left[0] - right[0]) / width, (left[1] - right[1]) / width];
  return {
    /** @returns {[number, number]} */
    inside: ([x, y]) => [(x * cos + y * sin) / width, (y * cos - x * sin) / height],
    /** @returns {[number, number]} */
    outside: ([u, v]) => [u * cos * width - v * sin * height, u * sin * width + v * cos * height],
  };
}

/**
 * The sliders' values nearest to `start` that bring a point by `way` [u, v] further, each within its
 * limits. A part is {name, vector, low, high, start}; the answer is a map from name to value.
 */
export function pulled(parts, way) {
  const stay = 0.02; // how much it counts to stay, so that of equal answers the nearest is taken
  const used = parts.filter(({ vector: [u, v] }) => u * u + v * v > 1e-9);
  const now = new Map(used.map(({ name, start }) => [name, start]));
  const wanted = [0, 1].map((axis) =>
    used.reduce((sum, { vector, start }) => sum + vector[axis] * start, way[axis]),
  );
  for (let round = 0; round < 60; round++) {
    for (const { name, vector, low, high, start } of used) {
      const rest = [0, 1].map((axis) =>
        used.reduce(
          (sum, other) =>
            sum - (other.name === name ? 0 : other.vector[axis] * now.get(other.name)),
          wanted[axis],
        ),
      );
      const length = vector[0] ** 2 + vector[1] ** 2;
      const best = (vector[0] * rest[0] + vector[1] * rest[1]) / length;
      now.set(name, Math.min(high, Math.max(low, (best + stay * start) / (1 + stay))));
    }
  }
  return now;
}
