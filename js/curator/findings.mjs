// What is wrong with the images, and what would fix it.

import { button, element } from "../common/elements.mjs";

export const kindName = (words, kind) =>
  words.knows(`kinds.${kind}`) ? words(`kinds.${kind}`) : kind;

/** The findings by their kind, in the order in which they came. */
export function byKind(findings) {
  const kinds = new Map();
  for (const finding of findings) {
    if (!kinds.has(finding.kind)) kinds.set(finding.kind, []);
    kinds.get(finding.kind).push(finding);
  }
  return kinds;
}

/** The values that the fixes of `findings` ask for, by picture; `among` leaves other pictures out. */
export function fixes(findings, among = null) {
  const found = new Map();
  for (const { fix } of findings) {
    if (!fix || (among && !among.has(fix.shot)) || found.has(fix.shot)) continue;
    found.set(
      fix.shot,
      fix.action === "exclude" ? { include: false } : { [fix.action]: fix.value },
    );
  }
  return found;
}

const MOST_SAID = { ofPictures: 2, ofTheSet: 8 };

export class Findings {
  /** `fix(values)` does what fixes ask for; `only(kind)` shows the pictures of a kind. */
  constructor(parent, words, { fix, only }) {
    this.words = words;
    this.fix = fix;
    this.only = only;
    this.element = element("div", "findings", parent);
  }

  /**
   * Draws `findings`, all of the dataset or those of the pictures `among` (a Set of hashes), and
   * what was `skipped`. `kind` is the one whose pictures are shown.
   */
  draw(findings, { among = null, skipped = [], kind = "", clean = "" }) {
    const text = JSON.stringify([findings, among && [...among], skipped, kind, clean]);
    if (this.drawn === text) return;
    this.drawn = text;
    this.element.replaceChildren();
    if (!findings.length && clean) element("p", "quiet", this.element).textContent = clean;
    for (const [name, those] of byKind(findings)) this.drawKind(name, those, among, kind);
    for (const said of skipped) element("p", "quiet", this.element).textContent = said;
  }

  drawKind(kind, those, among, shown) {
    const { words } = this;
    const box = element("section", "finding", this.element);
    box.dataset.kind = kind;
    const head = element("div", "line", box);
    const name = kindName(words, kind);
    const pictures = new Set(those.flatMap((finding) => finding.shots));
    const count = pictures.size ? ` (${pictures.size})` : "";
    if (!among && pictures.size) {
      const made = button(head, name + count, () => this.only(kind === shown ? "" : kind));
      made.className = "kind";
      made.title = words("about_only");
      made.setAttribute("aria-pressed", String(kind === shown));
    } else element("b", "", head).textContent = name;
    const values = fixes(those, among);
    if (values.size) this.drawFix(head, values);
    const sentences = [...new Set(those.map((finding) => finding.says))];
    const most = pictures.size ? MOST_SAID.ofPictures : MOST_SAID.ofTheSet;
    for (const said of sentences.slice(0, most)) {
      const line = element("p", "", box);
      line.textContent = line.title = said;
    }
    const more = sentences.length - most;
    if (more > 0) element("p", "quiet", box).textContent = words("more", { count: more });
    const { effect, remedy } = those[0];
    element("p", "quiet", box).textContent = [effect, remedy].filter(Boolean).join(" ");
  }

  drawFix(head, values) {
    const { words } = this;
    const [first] = values.values();
    const action = Object.keys(first)[0];
    const count = values.size;
    const said = words(`fix_${action}${count > 1 ? "s" : ""}`, { value: first[action], count });
    const made = button(head, said, () => this.fix(values));
    made.className = "fix";
    if (action === "caption" && count === 1) made.title = first.caption;
  }
}
