// Over the gallery: which pictures are shown.

import { button, element } from "../common/elements.mjs";
import { tagName } from "../common/texts.mjs";
import { kindName } from "./findings.mjs";

const AXES = ["view", "framing", "expression"];
/** Whether an image, as it is `now` and with its open `findings`, belongs to what is to be shown. */
const SHOWN = {
  all: () => true,
  included: (now) => now.include,
  left_out: (now) => !now.include,
  with_findings: (_, findings) => findings.length > 0,
  by_hand: (now) => now.byHand,
};
const UNKNOWN = "?";

/**
 * Whether an image called `name`, as it is `now` and with its open `findings`, passes all that is
 * `wanted`.
 */
export function passes(wanted, now, findings, name = "") {
  const hasTag = (axis) => !wanted[axis] || (now.tags[axis] || UNKNOWN) === wanted[axis];
  const ofKind = !wanted.kind || findings.some((finding) => finding.kind === wanted.kind);
  return (
    AXES.every(hasTag) &&
    SHOWN[wanted.show](now, findings) &&
    ofKind &&
    says(now, name, wanted.text)
  );
}

/** Whether caption, tags and `name` hold every word of `text`. */
function says({ caption, tags }, name, text = "") {
  const said = [name, caption, ...Object.values(tags).flat()].join(" ").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}

export class Filters {
  wanted = { text: "", show: "all" };

  /** `changed` is told when something else is wanted. */
  constructor(parent, words, changed) {
    this.words = words;
    this.changed = changed;
    this.element = element("div", "filters", parent);
    this.search = element("input", "search", this.element);
    Object.assign(this.search, { type: "search", placeholder: words("search"), spellcheck: false });
    this.search.setAttribute("aria-label", words("search"));
    this.search.addEventListener("input", () => this.want("text", this.search.value));
    this.selects = Object.fromEntries(AXES.map((axis) => [axis, this.select(axis)]));
    this.selects.show = this.select("show");
    this.kind = button(this.element, "", () => this.want("kind", ""));
    this.kind.className = "only";
    this.kind.title = words("about_filter");
  }

  select(name) {
    const made = element("select", "", this.element);
    made.dataset.filter = name;
    made.setAttribute(
      "aria-label",
      name === "show" ? this.words("show") : tagName(this.words, name),
    );
    made.addEventListener("change", () => this.want(name, made.value));
    return made;
  }

  want(name, value) {
    this.wanted = { ...this.wanted, [name]: value };
    this.changed();
  }

  /** Offers the values that `all` the pictures have; each is {now, findings}. */
  draw(all) {
    for (const axis of AXES) {
      const counts = new Map();
      for (const { now } of all) {
        const value = now.tags[axis] || UNKNOWN;
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      const said = (value) =>
        value === UNKNOWN ? this.words("unknown") : tagName(this.words, value, axis);
      const options = [...counts].map(([value, count]) => [value, `${said(value)} (${count})`]);
      if (this.wanted[axis] && !counts.has(this.wanted[axis])) {
        options.push([this.wanted[axis], `${said(this.wanted[axis])} (0)`]);
      }
      this.fill(axis, [["", tagName(this.words, axis)], ...options]);
    }
    const { kind } = this.wanted;
    this.kind.style.display = kind ? "" : "none";
    this.kind.textContent = kind ? `${kindName(this.words, kind)} ×` : "";
    this.fill(
      "show",
      Object.keys(SHOWN).map((name) => [name, this.words(`show_${name}`)]),
    );
  }

  fill(name, options) {
    const select = this.selects[name];
    const text = JSON.stringify(options);
    if (select.dataset.options !== text) {
      select.dataset.options = text;
      select.replaceChildren(...options.map(([value, said]) => new Option(said, value)));
    }
    select.value = this.wanted[name] ?? "";
    select.classList.toggle("set", select.selectedIndex > 0);
  }
}
