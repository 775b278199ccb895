// What a person decides about single pictures, as the node's widget `curation` keeps it: JSON, by
// the first digits of the pictures' hashes. engine/dataset/curation.py reads the same.

const HASH_DIGITS = 16;

export const keyOf = (shot) => shot.hash.slice(0, HASH_DIGITS);

/** The decisions in the widget's text: the choices by picture, and the set that was looked through. */
export function parsed(text) {
  try {
    const { shots = {}, approved = "" } = JSON.parse(text || "{}");
    const entries = Object.entries(shots).map(([key, choice]) => [
      key.slice(0, HASH_DIGITS),
      choice,
    ]);
    return { shots: Object.fromEntries(entries), approved };
  } catch {
    return { shots: {}, approved: "" }; // The node itself says what is wrong with it when it runs.
  }
}

/** The widget's text. Never empty: that would mean what is kept beside the dataset. */
export function written({ shots, approved }) {
  return JSON.stringify(approved ? { shots, approved } : { shots });
}

/** `shot` as it is after `choice`; the caption follows the tags unless a person wrote it. */
export function outcome(shot, choice, vocabulary) {
  const tags = { ...shot.tags, ...choice?.tags };
  const own = Boolean(choice?.caption) && choice.caption !== shot.outdated;
  const came = shot.by_hand ? shot.caption : following(shot.caption, shot.tags, tags, vocabulary);
  return {
    include: choice?.include ?? shot.include,
    weight: choice?.weight ?? shot.weight,
    tags,
    caption: own ? choice.caption : came,
    byHand: own || shot.by_hand,
    own,
  };
}

function following(caption, before, after, vocabulary) {
  const parts = caption.split(", ");
  for (const axis of Object.keys(vocabulary)) {
    const said = phrase(axis, before[axis], vocabulary);
    const now = phrase(axis, after[axis], vocabulary);
    if (!said || said === now || parts.filter((part) => part === said).length !== 1) continue;
    parts.splice(parts.indexOf(said), 1, ...(now ? [now] : []));
  }
  return parts.join(", ");
}

function phrase(axis, value, vocabulary) {
  const said = vocabulary[axis][value] ?? value;
  return axis === "outfit" && said ? `wearing ${said}` : said;
}

/** The choices after `values` were decided about `shot`; what is as it came is no decision. */
export function decided(shots, shot, values, vocabulary) {
  const key = keyOf(shot);
  const { [key]: before, ...others } = shots;
  const tags = { ...before?.tags, ...values.tags };
  for (const axis of Object.keys(tags)) if (same(tags[axis], shot.tags[axis])) delete tags[axis];
  const choice = { ...before, ...values, tags };
  for (const name of ["include", "weight"]) if (choice[name] === shot[name]) delete choice[name];
  if (!Object.keys(tags).length) delete choice.tags;
  const came = outcome(shot, { tags }, vocabulary).caption;
  if (!choice.caption?.trim() || choice.caption === came) delete choice.caption;
  return Object.keys(choice).length ? { ...others, [key]: choice } : others;
}

/** What has to be written down as a person's captions when `before` becomes `after`; null for none. */
export function captionsChanged(all, before, after) {
  const changed = {};
  for (const shot of all) {
    const [one, other] = [before[keyOf(shot)]?.caption, after[keyOf(shot)]?.caption];
    if (one !== other) changed[shot.hash] = other ?? (shot.by_hand ? shot.caption : null);
  }
  return changed;
}

export function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
