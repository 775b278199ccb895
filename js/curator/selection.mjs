// Which pictures are chosen, and the one that keys go on from.

export class Selection {
  chosen = new Set();
  current = null;
  anchor = null;

  has(hash) {
    return this.chosen.has(hash);
  }

  set(hashes) {
    this.chosen = new Set(hashes);
    this.current = this.anchor = hashes[0] ?? null;
  }

  /** A click or key on `hash`: alone, one `more` or one less, or all in `order` from the last one. */
  pick(order, hash, { more = false, range = false } = {}) {
    const from = order.indexOf(this.anchor);
    this.current = hash;
    if (range && from >= 0) {
      const to = order.indexOf(hash);
      const between = order.slice(Math.min(from, to), Math.max(from, to) + 1);
      this.chosen = new Set(more ? [...this.chosen, ...between] : between);
      return;
    }
    this.anchor = hash;
    if (!more) this.chosen = new Set([hash]);
    else if (!this.chosen.delete(hash)) this.chosen.add(hash);
  }

  /** Forgets what is not among `hashes` any more. */
  only(hashes) {
    const there = new Set(hashes);
    this.chosen = new Set([...this.chosen].filter((hash) => there.has(hash)));
    if (!there.has(this.current)) this.current = null;
    if (!there.has(this.anchor)) this.anchor = null;
  }
}

/** Where in `order`, some of `all`, one lands who goes `by` on from `current`, shown there or not. */
export function landing(all, order, current, by) {
  let from = order.indexOf(current);
  if (from < 0) {
    // It was decided upon and is no longer shown: go on from where it was.
    const place = all.indexOf(current);
    const after = order.findIndex((hash) => all.indexOf(hash) > place);
    from = (after < 0 ? order.length : after) - (by > 0 ? 1 : 0);
  }
  return Math.min(Math.max(from + by, 0), order.length - 1);
}
