// The gallery in the curator's node: the dataset, what is wrong with it, and what a person decides.

import { button, element, onceAFrame } from "../common/elements.mjs";
import { Panel } from "../common/panel.mjs";
import { Viewer } from "../common/viewer.mjs";
import { Choices } from "./choices.mjs";
import { keyOf, outcome, same } from "./decisions.mjs";
import { Filters, passes } from "./filters.mjs";
import { Head } from "./head.mjs";
import { Inspector } from "./inspector.mjs";
import { isField, press } from "./keys.mjs";
import { List } from "./list.mjs";
import { described } from "./said.mjs";
import { Selection, landing } from "./selection.mjs";

/** @typedef {import("../types").GalleryView} GalleryView */
/** @typedef {import("../types").GalleryItem} GalleryItem */

const EMPTY_HEIGHT = 150;
const HEIGHT = 560;

export class Gallery extends Panel {
  /** @type {GalleryView | null} */
  view = null;
  /** @type {GalleryItem[]} */
  all = [];
  /** @type {GalleryItem[]} */
  shown = [];
  findings = [];
  stale = new Set();

  /**
   * `curation` reads and writes the node's widget: get() and set(text). `imageUrl` gives the
   * address of an image, small or large; `keep` writes decisions beside the dataset and answers
   * {error} when it cannot; `run` queues the graph.
   */
  constructor({ words, curation, imageUrl, keep, resized, run }) {
    super("curator", EMPTY_HEIGHT, resized);
    this.words = words;
    this.imageUrl = imageUrl;
    this.run = run;
    this.choices = new Choices({
      curation,
      keep,
      changed: () => this.changed(),
      said: () => this.drawAround(),
      unreachable: words("unreachable"),
    });
    this.head = new Head(this.element, words, {
      goOn: () => this.goOn(),
      again: () => this.choices.approve(""),
      overview: () => this.select([]),
    });
    this.filters = new Filters(this.element, words, () => this.filtered());
    this.body = element("div", "body", this.element);
    this.left = element("div", "left", this.body);
    this.list = new List(this.left, words("pictures"), {
      describe: (item) => described(item, this),
      picked: (hash, event) => this.pick(hash, event),
      opened: () => this.enlarge(),
    });
    this.empty = element("div", "empty", this.left);
    this.inspector = new Inspector(this.body, words, this);
    this.foot = element("div", "foot", this.element);
    this.foot.setAttribute("role", "status");
    this.viewer = new Viewer(words, {
      turn: (by) => this.move(by),
      press: (event) => this.toggleBy(event.key),
      closed: () => this.list.element.focus({ preventScroll: true }),
    });
    this.viewerToggle = button(this.viewer.actions, "", () => this.toggle());
    this.selection = new Selection();
    this.element.addEventListener("keydown", (event) => press(event, this));
    this.schedule = onceAFrame(() => this.draw());
    this.draw();
  }

  /** Takes up what the server tells of a run. */
  take(view) {
    this.view = view;
    this.measure();
    this.valueChanged();
  }

  /** Draws again what hangs on the widget, which somebody else may have changed. */
  valueChanged() {
    this.choices.read(this.view);
    this.schedule();
  }

  measure() {
    this.need(this.view ? HEIGHT : EMPTY_HEIGHT);
  }

  get chosen() {
    return this.all.filter((one) => this.selection.has(one.hash));
  }

  get current() {
    return this.all.find((one) => one.hash === this.selection.current);
  }

  draw() {
    const { view } = this;
    const vocabulary = view?.vocabulary ?? {};
    const findings = this.openFindings();
    this.all = (view?.shots ?? []).map((shot) => {
      const now = outcome(shot, this.choices.shots[keyOf(shot)], vocabulary);
      return { hash: shot.hash, shot, now, findings: findings.get(shot.hash) ?? [] };
    });
    this.element.classList.toggle("bare", !view);
    this.filters.draw(this.all);
    this.filter();
  }

  /** The findings of each picture that is as it was when they were found. */
  openFindings() {
    const { view } = this;
    const found = new Map();
    this.stale = new Set();
    if (!view) return found;
    for (const shot of view.shots) {
      const now = outcome(shot, this.choices.shots[keyOf(shot)], view.vocabulary);
      const then = outcome(shot, view.curation.shots[keyOf(shot)], view.vocabulary);
      if (!same({ ...now, own: 0, byHand: 0 }, { ...then, own: 0, byHand: 0 })) {
        this.stale.add(shot.hash);
      }
    }
    this.findings = view.report.findings.filter(
      ({ shots, fix }) =>
        !this.stale.has(fix?.shot) &&
        !(shots.length && shots.every((hash) => this.stale.has(hash))),
    );
    for (const finding of this.findings) {
      for (const hash of finding.shots) found.set(hash, [...(found.get(hash) ?? []), finding]);
    }
    return found;
  }

  filter() {
    const { wanted } = this.filters;
    this.shown = this.all.filter(({ shot, now, findings }) =>
      passes(wanted, now, findings, shot.name),
    );
    const sizes = this.all.map(({ shot }) => shot.size[0] / shot.size[1]).sort((a, b) => a - b);
    const aspect = Math.min(Math.max(sizes[sizes.length >> 1] ?? 1, 0.6), 1.7);
    this.selection.only(this.all.map((one) => one.hash));
    this.list.show(this.shown, aspect);
    this.empty.style.display = this.shown.length ? "none" : "";
    this.empty.textContent = this.words(this.view ? "none_shown" : "empty");
    this.drawAround();
  }

  filtered() {
    this.list.element.scrollTop = 0;
    this.filters.draw(this.all);
    this.filter();
  }

  drawAround() {
    const { view, words } = this;
    this.head.draw(view, {
      inside: this.all.filter(({ now }) => now.include).length,
      total: this.all.length,
      findings: this.findings.length,
      stale: this.stale.size > 0,
      approved: Boolean(view) && this.choices.approved === view.set,
    });
    this.inspector.draw(view ? this.chosen : []);
    this.foot.textContent = this.choices.trouble || (view ? words("keys") : "");
    this.foot.classList.toggle("wrong", Boolean(this.choices.trouble));
    if (this.viewer.isOpen && this.current) this.drawViewer(this.current);
  }

  pick(hash, event) {
    const order = this.shown.map((one) => one.hash);
    this.selection.pick(order, hash, {
      more: event.ctrlKey || event.metaKey,
      range: event.shiftKey,
    });
    this.list.element.focus({ preventScroll: true });
    this.reveal();
  }

  select(hashes) {
    this.selection.set(hashes);
    this.reveal();
  }

  /** Goes `by` pictures on; `range` chooses those between, too. */
  move(by, range = false) {
    const order = this.shown.map((one) => one.hash);
    if (!order.length) return;
    const next = landing(
      this.all.map((one) => one.hash),
      order,
      this.selection.current,
      by,
    );
    this.selection.pick(order, order[next], { range });
    this.reveal();
  }

  reveal() {
    this.list.draw();
    if (this.selection.current) this.list.reveal(this.selection.current);
    this.drawAround();
  }

  enlarge() {
    if (this.current) this.drawViewer(this.current);
  }

  drawViewer({ shot, now }) {
    const place = this.shown.findIndex((one) => one.hash === shot.hash) + 1;
    const total = this.shown.length;
    this.viewerToggle.textContent = this.words(now.include ? "leave_out" : "take_in");
    this.viewer.show({
      url: this.imageUrl(this.view, shot, true),
      title: this.words("place", { place, total }),
      said: [now.caption],
      place,
      total,
    });
  }

  /** Does what a key means for the large image, if it means something. */
  toggleBy(key) {
    if (!["x", "i", "Delete"].includes(key)) return false;
    this.toggle(key === "i");
    return true;
  }

  toggle(include = undefined) {
    const { chosen } = this;
    if (chosen.length) this.decide({ include: include ?? !chosen[0].now.include });
  }

  /** Decides `values` about every picture that is chosen. */
  decide(values) {
    this.choices.decide(new Map(this.chosen.map(({ hash }) => [hash, values])));
  }

  /** Draws what was decided, and has the keys go on in the list, unless somebody types. */
  changed() {
    this.draw();
    const typing = this.element.contains(document.activeElement) && isField(document.activeElement);
    if (!typing && !this.viewer.isOpen) this.list.element.focus({ preventScroll: true });
  }

  async goOn() {
    await this.choices.keep();
    this.choices.approve(this.view.set);
    this.run();
  }

  close() {
    this.choices.keep();
    this.list.close();
    this.viewer.close();
  }
}
