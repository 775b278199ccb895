// What the trainer node shows: where the training is, its curves, its pictures, and how to end it.

import { button, element, lastOf, onceAFrame } from "../common/elements.mjs";
import { addStyle } from "../common/style.mjs";
import { texts } from "../common/texts.mjs";
import { Chart } from "./chart.mjs";
import { Findings } from "./findings.mjs";
import { STYLE } from "./style.mjs";
import { TEXTS, duration, short } from "./texts.mjs";

const HEIGHT = 330;
const MOST_PICTURES = 24;

const isRunning = (course) => course?.state === "running" || course?.state === "preparing";

/** The course after a message that holds the steps since `message.after`; null if one is missing. */
export function merged(course, message) {
  if (!message.after) return message;
  const rows = (course?.rows ?? []).filter((row) => row[0] <= message.after);
  if (course?.folder !== message.folder || lastOf(rows)?.[0] !== message.after) return null;
  return { ...message, after: 0, rows: rows.concat(message.rows), lint: course.lint };
}

export class Panel {
  course = null;
  minHeight = HEIGHT;

  /** `stop(course)` asks the server to end a training and answers {note} or {error}. */
  constructor({ locale, pictureUrl, stop }) {
    addStyle("training", STYLE);
    this.words = texts(TEXTS, locale);
    this.pictureUrl = pictureUrl;
    this.askToStop = stop;
    this.element = element("div", "facet-panel facet-training");
    const head = element("div", "head", this.element);
    this.step = element("b", "", head);
    this.rest = element("span", "rest", head);
    this.loss = element("span", "loss", head);
    this.keys = element("div", "keys", this.element);
    this.lint = new Findings(this.element, this.words);
    this.plot = element("div", "plot", this.element);
    this.chart = new Chart((step) => this.drawFigures(step));
    this.chart.svg.setAttribute("aria-label", this.words("chart"));
    this.plot.append(this.chart.svg);
    this.empty = element("div", "empty", this.plot);
    this.strip = element("div", "strip", this.element);
    const foot = element("div", "foot", this.element);
    this.note = element("div", "note", foot);
    this.note.setAttribute("role", "status");
    this.button = button(foot, "", () => this.stop());
    this.schedule = onceAFrame(() => this.draw());
    this.resized = new ResizeObserver(() => this.schedule());
    this.resized.observe(this.plot);
    this.draw();
  }

  /** Takes a message up; false when there is a gap before it and the whole has to be asked for. */
  take(message) {
    const course = merged(this.course, message);
    if (!course) return false;
    if (!isRunning(course) || !isRunning(this.course)) {
      this.stopping = false;
      this.said = "";
    }
    this.course = course;
    this.schedule();
    return true;
  }

  close() {
    this.resized.disconnect();
  }

  draw() {
    const { course } = this;
    this.drawFigures(this.chart.hovered);
    const waiting = course?.state === "preparing" ? "preparing" : "empty";
    this.empty.textContent = course?.rows.length ? "" : this.words(waiting);
    this.chart.draw(course, this.plot.clientWidth, this.plot.clientHeight, this.words);
    this.lint.draw(course?.lint);
    this.drawPictures();
    this.note.textContent = this.note.title = this.said || course?.note || "";
    this.note.classList.toggle("wrong", !this.said && course?.state === "failed");
    this.button.textContent = this.words(this.stopping ? "stopping" : "stop");
    this.button.disabled = this.stopping || course?.state !== "running";
  }

  /** The figures at `step`, the one under the pointer, or else the newest. */
  drawFigures(step) {
    const { course, words } = this;
    const rows = course?.rows ?? [];
    const row = rows.find((one) => one[0] === step) ?? lastOf(rows);
    this.step.textContent = row ? words("step", { step: row[0] }) : (course?.run ?? "");
    this.rest.textContent = row ? this.whereItIs(step != null) : "";
    this.loss.replaceChildren();
    this.keys.replaceChildren();
    if (!row) return;
    const before = (points) => lastOf(points.filter((point) => point[0] <= row[0]))?.[1];
    this.figure(this.loss, "loss", "--blue", row[2] ?? row[1]);
    for (const [name, colour] of [["validation", "--orange"], ["identity", "--violet"]]) {
      if (course[name].length) this.figure(this.keys, name, colour, before(course[name]), "dot");
    }
    if (row[3] != null) this.figure(this.keys, "rate", "--quiet", row[3], "dotted");
  }

  whereItIs(pointing) {
    const { course, words } = this;
    const parts = [words("of", { steps: course.steps })];
    if (!pointing && course.state === "running" && course.eta != null) {
      parts.push(words("left", { time: duration(course.eta) }));
    } else if (!pointing && !isRunning(course)) {
      parts.push(words(course.state));
    }
    return parts.join(" · ");
  }

  figure(parent, name, colour, value, kind = "") {
    const key = element("span", `key ${kind}`, parent);
    element("i", "", key).style.setProperty("--key", `var(${colour})`);
    key.append(`${this.words(name)} `);
    element("b", "", key).textContent = short(value);
  }

  drawPictures() {
    const newest = (this.course?.samples ?? []).slice(-MOST_PICTURES).reverse();
    const wanted = newest.map((sample) => this.pictureUrl(sample));
    const present = new Map([...this.strip.children].map((link) => [link.href, link]));
    const links = newest.map((sample, index) => {
      const url = new URL(wanted[index], location.href).href;
      return present.get(url) ?? this.picture(url, sample.step);
    });
    const same = links.length === present.size && links.every((link) => link.isConnected);
    if (!same) this.strip.replaceChildren(...links);
  }

  picture(url, step) {
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
    try {
      const answer = await this.askToStop(this.course);
      this.said = answer.note ?? answer.error ?? "";
      if (answer.error) this.stopping = false;
    } catch {
      this.said = this.words("unreachable");
      this.stopping = false;
    }
    this.draw();
  }
}
