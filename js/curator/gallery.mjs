// The gallery in the curator's node: the dataset, what is wrong with it, and what a person decides.

import { element, onceAFrame } from "../common/elements.mjs";
import { addStyle } from "../common/style.mjs";
import { texts } from "../common/texts.mjs";
import { STYLE as SHOTS_STYLE } from "../shots/style.mjs";
import { TAGS } from "../shots/tags.mjs";
import { captionsChanged, decided, outcome, parsed, same, written } from "./decisions.mjs";
import { Filters, passes } from "./filters.mjs";
import { Head } from "./head.mjs";
import { History } from "./history.mjs";
import { Inspector } from "./inspector.mjs";
import { KINDS } from "./kinds.mjs";
import { press } from "./keys.mjs";
import { List } from "./list.mjs";
import { described } from "./said.mjs";
import { Selection } from "./selection.mjs";
import { STYLE } from "./style.mjs";
import { TEXTS } from "./texts.mjs";
import { Viewer } from "./viewer.mjs";

const EMPTY_HEIGHT = 150;
const HEIGHT = 470;
const SECONDS_UNTIL_KEPT = 0.5;

export class Gallery {
  view = null;
  minHeight = EMPTY_HEIGHT;
  all = [];
  shown = [];
  findings = [];
  stale = new Set();
  choices = {};
  approved = "";
  history = new History();

  /**
   * `curation` reads and writes the node's widget: get() and set(text). `pictureUrl` gives the
   * address of a picture, small or large; `keep` writes decisions beside the dataset and answers
   * {error} when it cannot; `resized` is told when the node has to make room; `run` queues it.
   */
  constructor({ locale, curation, pictureUrl, keep, resized, run }) {
    addStyle("shots", SHOTS_STYLE);
    addStyle("curator", STYLE);
    this.words = texts(joined(TEXTS, KINDS), locale);
    this.tagWords = texts(TAGS, locale);
    Object.assign(this, { curation, pictureUrl, sendKept: keep, resized, run });
    this.element = element("div", "facet-panel facet-curator");
    this.head = new Head(this.element, this.words, {
      goOn: () => this.goOn(),
      again: () => this.setApproved(""),
      overview: () => this.select([]),
    });
    this.filters = new Filters(this.element, this.words, this.tagWords, () => this.filtered());
    this.body = element("div", "body", this.element);
    this.left = element("div", "left", this.body);
    this.list = new List(this.left, this.words("pictures"), {
      describe: (item) => described(item, this),
      picked: (hash, event) => this.pick(hash, event),
      opened: () => this.enlarge(),
    });
    this.empty = element("div", "empty", this.left);
    this.inspector = new Inspector(this.body, this.words, this.tagWords, this);
    this.foot = element("div", "foot", this.element);
    this.foot.setAttribute("role", "status");
    this.viewer = new Viewer(this.words, {
      turn: (by) => this.move(by),
      toggle: (include) => this.toggle(include),
      closed: () => this.list.element.focus({ preventScroll: true }),
    });
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
    const text = this.curation.get() ?? "";
    const kept = this.view?.kept ?? this.view?.curation ?? { shots: {} };
    const { shots, approved } = text.trim() ? parsed(text) : { shots: kept.shots, approved: "" };
    Object.assign(this, { choices: shots, approved });
    this.schedule();
  }

  measure() {
    const height = this.view ? HEIGHT : EMPTY_HEIGHT;
    if (height === this.minHeight) return;
    this.minHeight = height;
    this.element.style.minHeight = `${height}px`; // what nodes drawn by Vue go by
    this.resized();
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
      const choice = this.choices[shot.hash.slice(0, 16)];
      const now = outcome(shot, choice, vocabulary);
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
      const key = shot.hash.slice(0, 16);
      const now = outcome(shot, this.choices[key], view.vocabulary);
      const then = outcome(shot, view.curation.shots[key], view.vocabulary);
      if (!same({ ...now, own: 0, byHand: 0 }, { ...then, own: 0, byHand: 0 })) this.stale.add(shot.hash);
    }
    this.findings = view.report.findings.filter(
      ({ shots, fix }) => !this.stale.has(fix?.shot) && !(shots.length && shots.every((hash) => this.stale.has(hash))),
    );
    for (const finding of this.findings) {
      for (const hash of finding.shots) found.set(hash, [...(found.get(hash) ?? []), finding]);
    }
    return found;
  }

  filter() {
    const { wanted } = this.filters;
    this.shown = this.all.filter(({ now, findings }) => passes(wanted, now, findings));
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
      approved: Boolean(view) && this.approved === view.set,
    });
    this.inspector.draw(view ? this.chosen : []);
    this.foot.textContent = this.trouble || (view ? words("keys") : "");
    this.foot.classList.toggle("wrong", Boolean(this.trouble));
    const current = this.current;
    if (this.viewer.isOpen && current) this.drawViewer(current);
  }

  pick(hash, event) {
    const order = this.shown.map((one) => one.hash);
    this.selection.pick(order, hash, { more: event.ctrlKey || event.metaKey, range: event.shiftKey });
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
    const here = order.indexOf(this.selection.current);
    const next = here < 0 ? (by > 0 ? 0 : order.length - 1) : Math.min(Math.max(here + by, 0), order.length - 1);
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
    this.viewer.show({
      url: this.pictureUrl(this.view, shot, true),
      title: this.words("place", { place, total: this.shown.length }),
      said: now.caption,
      include: now.include,
    });
  }

  toggle(include) {
    const { chosen } = this;
    if (chosen.length) this.decide({ include: include ?? !chosen[0].now.include });
  }

  /** Decides `values` about every picture that is chosen. */
  decide(values) {
    this.decideEach(new Map(this.chosen.map(({ hash }) => [hash, values])));
  }

  /** Decides about several pictures at once: values by hash. */
  decideEach(values) {
    let choices = this.choices;
    for (const { hash, shot } of this.all) {
      const asked = values.get(hash);
      if (asked) choices = decided(choices, shot, asked, this.view.vocabulary);
    }
    if (same(choices, this.choices)) return;
    this.history.push(this.choices);
    this.hold(choices);
  }

  goBack(by) {
    const choices = this.history[by](this.choices);
    if (choices) this.hold(choices);
  }

  /** Has `choices` hold, in the widget and, a moment later, beside the dataset. */
  hold(choices) {
    // What was kept beside the dataset goes into the workflow first, so that it can be undone to.
    if (!(this.curation.get() ?? "").trim()) this.curation.set(written(this));
    this.unsaved = { ...this.unsaved, ...captionsChanged(this.view.shots, this.choices, choices) };
    this.choices = choices;
    this.curation.set(written(this));
    this.draw();
    this.list.element.focus({ preventScroll: true });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), SECONDS_UNTIL_KEPT * 1000);
  }

  async keep() {
    clearTimeout(this.timer);
    this.timer = null;
    const captions = this.unsaved ?? {};
    this.unsaved = {};
    const { folder, shots } = this.view;
    const sent = { folder, curation: written(this), pictures: shots.map(({ hash }) => hash), captions };
    const { error } = await this.sendKept(sent).catch(() => ({ error: this.words("unreachable") }));
    if (error) this.unsaved = { ...captions, ...this.unsaved };
    this.trouble = error ?? "";
    this.drawAround();
  }

  setApproved(set) {
    if (!(this.curation.get() ?? "").trim()) this.curation.set(written(this));
    this.approved = set;
    this.curation.set(written(this));
    this.drawAround();
  }

  async goOn() {
    if (this.timer) await this.keep();
    this.setApproved(this.view.set);
    this.run();
  }

  close() {
    if (this.timer) this.keep();
    this.list.close();
    this.viewer.close();
  }
}

function joined(one, other) {
  return Object.fromEntries(Object.keys(one).map((locale) => [locale, { ...one[locale], ...other[locale] }]));
}
