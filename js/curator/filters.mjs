// Over the gallery: which pictures are shown.

import { button, element } from "../common/elements.mjs";
import { kindName } from "./findings.mjs";

const AXES = ["view", "framing", "expression"];
const SHOWN = ["all", "included", "left_out", "with_findings", "by_hand"];
const UNKNOWN = "?";

/** Whether a picture, as it is `now` and with so many open `findings`, is among what is shown. */
export function passes(wanted, now, findings) {
  for (const axis of AXES) {
    if (wanted[axis] && (now.tags[axis] || UNKNOWN) !== wanted[axis]) return false;
  }
  if (wanted.show === "included" && !now.include) return false;
  if (wanted.show === "left_out" && now.include) return false;
  if (wanted.show === "with_findings" && !findings.length) return false;
  if (wanted.show === "by_hand" && !now.byHand) return false;
  if (wanted.kind && !findings.some((finding) => finding.kind === wanted.kind)) return false;
  const words = (wanted.text ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return true;
  const said = [now.caption, ...Object.values(now.tags).flat()].join(" ").toLowerCase();
  return words.every((word) => said.includes(word));
}

export class Filters {
  wanted = { text: "", show: "all" };

  /** `changed` is told when something else is wanted. */
  constructor(parent, words, tagWords, changed) {
    Object.assign(this, { words, tagWords, changed });
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
    made.setAttribute("aria-label", name === "show" ? this.words("show") : this.tagWords(name));
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
      const said = (value) => {
        if (value === UNKNOWN) return this.words("unknown");
        return this.tagWords.knows(value) ? this.tagWords(value) : value;
      };
      const options = [...counts].map(([value, count]) => [value, `${said(value)} (${count})`]);
      if (this.wanted[axis] && !counts.has(this.wanted[axis])) {
        options.push([this.wanted[axis], `${said(this.wanted[axis])} (0)`]);
      }
      this.fill(axis, [["", this.tagWords(axis)], ...options]);
    }
    const { kind } = this.wanted;
    this.kind.style.display = kind ? "" : "none";
    this.kind.textContent = kind ? `${kindName(this.words, kind)} ×` : "";
    this.fill("show", SHOWN.map((name) => [name, this.words(`show_${name}`)]));
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
