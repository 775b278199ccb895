// What the scorer's node shows: the verdict, what decided it, and a link to its report and to
// earlier ones.

import { element } from "../common/elements.mjs";
import { Panel } from "../common/panel.mjs";

const HEIGHT = 118;
const GAP = 6;
const NUMBERS = ["identity", "held_out", "views", "copies"];

export class Verdict extends Panel {
  reports = [];

  /** `reportUrl(folder)` is where the report in a folder opens. */
  constructor({ locale, words, reportUrl, resized }) {
    super("scorer", HEIGHT, resized);
    this.locale = locale;
    this.words = words;
    this.reportUrl = reportUrl;
    this.verdict = element("div", "verdict", this.element);
    this.verdict.setAttribute("role", "status");
    this.verdict.dataset.captureWheel = "true";
    this.verdict.tabIndex = 0;
    this.decided = element("div", "decided", this.element);
    const foot = element("div", "foot", this.element);
    this.earlier = element("select", "", foot);
    this.earlier.setAttribute("aria-label", words("which"));
    this.earlier.addEventListener("change", () => this.draw(this.earlier.value));
    this.link = element("a", "open", foot);
    Object.assign(this.link, { target: "_blank", rel: "noopener", textContent: words("open") });
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.element);
    this.draw(null);
  }

  close() {
    this.observer.disconnect();
  }

  /** Takes up the node's report in `folder` and what is known of it and of others, latest first. */
  take(folder, reports) {
    this.reports = reports;
    const options = reports.map((one) => new Option(this.when(one.made), one.folder));
    this.earlier.replaceChildren(...options);
    this.draw(reports.some((one) => one.folder === folder) ? folder : (reports[0]?.folder ?? null));
  }

  when(made) {
    const format = new Intl.DateTimeFormat(this.locale, {
      dateStyle: "medium",
      timeStyle: "short",
    });
    return format.format(new Date(made));
  }

  draw(folder) {
    const shown = this.reports.find((one) => one.folder === folder);
    this.verdict.textContent = shown?.verdict ?? this.words("empty");
    this.verdict.classList.toggle("empty", !shown);
    this.earlier.hidden = this.reports.length < 2;
    if (shown) {
      this.earlier.value = folder;
      this.link.href = this.reportUrl(folder);
    } else {
      this.link.removeAttribute("href");
    }
    this.link.setAttribute("aria-disabled", String(!shown));
    this.decided.replaceChildren();
    if (shown?.numbers) this.drawNumbers(shown.numbers);
    if (shown?.best && shown.worst) this.drawExamples(shown);
    this.measure();
  }

  drawNumbers(numbers) {
    const list = element("dl", "numbers", this.decided);
    for (const name of NUMBERS) {
      const [value, without] = numbers[name] ?? [];
      if (value === undefined) continue;
      const one = element("div", name, list);
      element("dt", "", one).textContent = this.words(name);
      element("dd", "", one).textContent = value;
      element("dd", "without", one).textContent = this.words("without", { value: without });
    }
  }

  drawExamples({ best, worst, map }) {
    const row = element("div", "examples", this.decided);
    if (map) this.drawMap(map, row);
    for (const [name, one] of [
      ["best", best],
      ["worst", worst],
    ]) {
      const figure = element("figure", name, row);
      const image = element("img", "", figure);
      Object.assign(image, { src: one.source, alt: one.words, title: one.words });
      image.addEventListener("load", () => this.measure());
      element("figcaption", "", figure).textContent = `${this.words(name)} ${one.score}`;
    }
  }

  drawMap({ strengths, rows }, parent) {
    const table = element("table", "", parent);
    element("caption", "", table).textContent = this.words("map");
    const head = element("tr", "", element("thead", "", table));
    for (const text of [this.words("strength"), ...strengths]) {
      element("th", "", head).textContent = text;
    }
    const body = element("tbody", "", table);
    for (const [name, cells] of rows) {
      const line = element("tr", "", body);
      element("th", "", line).textContent = name;
      for (const [text, good, chosen] of cells) {
        const cell = element("td", chosen ? "chosen" : "", line);
        cell.textContent = text;
        if (good) cell.style.setProperty("--good", good);
        if (chosen) cell.title = this.words("chosen");
      }
    }
  }

  /** Asks for the room that what is shown needs. */
  measure() {
    const below = this.decided.offsetHeight;
    this.need(HEIGHT + (below ? below + GAP : 0));
  }
}
