// What the trainer node shows: where the training is, its curves, its samples, and what to ask of it.

import { button, element, isRunning, lastOf, onceAFrame } from "../common/elements.mjs";
import { Panel } from "../common/panel.mjs";
import { Chart } from "./chart.mjs";
import { Findings } from "./findings.mjs";
import { duration, merged, short } from "./view.mjs";

/** @typedef {import("../types").TrainingView} TrainingView */

const HEIGHT = 330;
const MOST_SAMPLES = 24;

export class Progress extends Panel {
  /** @type {TrainingView | null} */
  view = null;
  said = "";
  stopping = false;

  /**
   * `ask(view, what)` asks something of a training and answers {note} or {error}; `drawn` is told
   * that something else is shown.
   */
  constructor({ words, sampleUrl, ask, drawn }) {
    super("training", HEIGHT);
    this.words = words;
    this.sampleUrl = sampleUrl;
    this.askServer = ask;
    this.drawn = drawn;
    const head = element("div", "head", this.element);
    this.step = element("b", "", head);
    this.rest = element("span", "rest", head);
    this.loss = element("span", "loss", head);
    this.keys = element("div", "keys", this.element);
    this.lint = new Findings(this.element, words);
    this.plot = element("div", "plot", this.element);
    this.chart = new Chart((step) => this.drawFigures(step));
    this.chart.svg.setAttribute("aria-label", words("chart"));
    this.plot.append(this.chart.svg);
    this.empty = element("div", "empty", this.plot);
    this.strip = element("div", "strip", this.element);
    const foot = element("div", "foot", this.element);
    this.note = element("div", "note", foot);
    this.note.setAttribute("role", "status");
    this.asks = ["sample_now", "save_now"].map((name) => {
      const made = button(foot, words(name), () => this.ask(name.split("_")[0]));
      made.title = words(`about_${name}`);
      made.dataset.ask = name;
      return made;
    });
    this.button = button(foot, "", () => this.stop());
    this.button.dataset.ask = "stop";
    this.schedule = onceAFrame(() => this.draw());
    this.observer = new ResizeObserver(() => this.schedule());
    this.observer.observe(this.plot);
    this.draw();
  }

  /** Takes a message up; false when there is a gap before it and the whole has to be asked for. */
  take(message) {
    this.drawn();
    const view = merged(this.view, message);
    if (!view) return false;
    if (view.note !== this.view?.note) this.said = "";
    if (!isRunning(view) || !isRunning(this.view)) {
      this.stopping = false;
      this.said = "";
    }
    this.view = view;
    this.schedule();
    return true;
  }

  /** Takes up a message whose beginning nobody knows any more: the curve begins here. */
  begin(message) {
    this.take({ ...message, after: 0 });
  }

  /** Shows nothing until the next message. */
  forget() {
    this.view = null;
    this.said = "";
    this.stopping = false;
    this.schedule();
  }

  close() {
    this.observer.disconnect();
  }

  draw() {
    const { view, words } = this;
    this.drawFigures(this.chart.hovered);
    const waiting = view?.state === "preparing" ? "preparing" : "empty";
    this.empty.textContent = view?.rows.length ? "" : words(waiting);
    this.chart.draw(view, this.plot.clientWidth, this.plot.clientHeight, words);
    this.lint.draw(view?.lint);
    this.drawSamples();
    this.note.textContent = this.note.title = this.said || view?.note || "";
    this.note.classList.toggle("wrong", !this.said && view?.state === "failed");
    this.button.textContent = words(this.stopping ? "stopping" : "stop");
    this.button.disabled = this.stopping || view?.state !== "running";
    for (const one of this.asks) one.disabled = this.button.disabled;
  }

  /** The figures at `step`, the one under the pointer, or else the newest. */
  drawFigures(step) {
    const { view, words } = this;
    const rows = view?.rows ?? [];
    const row = rows.find((one) => one[0] === step) ?? lastOf(rows);
    this.step.textContent = row ? words("step", { step: row[0] }) : (view?.run ?? "");
    this.rest.textContent = row ? this.whereItIs(step != null) : "";
    this.loss.replaceChildren();
    this.keys.replaceChildren();
    if (!row) return;
    const until = (points) => lastOf(points.filter((point) => point[0] <= row[0]))?.[1];
    this.figure(this.loss, "loss", "--blue", row[2] ?? row[1]);
    const curves = { validation: "--orange", identity: "--violet" };
    for (const [name, colour] of Object.entries(curves)) {
      if (view[name].length) this.figure(this.keys, name, colour, until(view[name]), "dot");
    }
    if (row[3] != null) this.figure(this.keys, "rate", "--quiet", row[3], "dotted");
  }

  whereItIs(pointing) {
    const { view, words } = this;
    const parts = [words("of", { steps: view.steps })];
    if (!pointing && view.state === "running" && view.eta != null) {
      parts.push(words("left", { time: duration(view.eta) }));
    } else if (!pointing && !isRunning(view)) {
      parts.push(words(view.state));
    }
    return parts.join(" · ");
  }

  figure(parent, name, colour, value, kind = "") {
    const key = element("span", `key ${kind}`, parent);
    element("i", "", key).style.setProperty("--key", `var(${colour})`);
    key.append(`${this.words(name)} `);
    element("b", "", key).textContent = short(value);
  }

  drawSamples() {
    const newest = (this.view?.samples ?? []).slice(-MOST_SAMPLES).reverse();
    const there = /** @type {HTMLAnchorElement[]} */ ([...this.strip.children]);
    const present = new Map(there.map((link) => [link.href, link]));
    const links = newest.map((sample) => {
      const url = new URL(this.sampleUrl(sample), location.href).href;
      return present.get(url) ?? this.sample(url, sample.step);
    });
    const same = links.length === present.size && links.every((link) => link.isConnected);
    if (!same) this.strip.replaceChildren(...links);
  }

  sample(url, step) {
    const link = element("a");
    Object.assign(link, { href: url, target: "_blank", rel: "noopener", draggable: false });
    const image = element("img", "", link);
    Object.assign(image, { src: url, loading: "lazy", alt: this.words("sample", { step }) });
    if (step != null) element("span", "", link).textContent = String(step);
    return link;
  }

  async stop() {
    this.stopping = true;
    this.draw();
    this.stopping = await this.ask("stop");
    this.draw();
  }

  /** Whether the server will do it. */
  async ask(what) {
    try {
      const answer = await this.askServer(this.view, what);
      this.said = answer.note ?? answer.error ?? "";
      return !answer.error;
    } catch {
      this.said = this.words("unreachable");
      return false;
    } finally {
      this.draw();
    }
  }
}
