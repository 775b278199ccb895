// What the scorer's node shows: the verdict in words, and a link to the report and to earlier ones.

import { element } from "../common/elements.mjs";
import { Panel } from "../common/panel.mjs";

const HEIGHT = 118;

export class Verdict extends Panel {
  reports = [];

  /** `reportUrl(folder)` is where the report in a folder opens. */
  constructor({ locale, words, reportUrl }) {
    super("scorer", HEIGHT);
    this.locale = locale;
    this.words = words;
    this.reportUrl = reportUrl;
    this.verdict = element("div", "verdict", this.element);
    this.verdict.setAttribute("role", "status");
    this.verdict.dataset.captureWheel = "true";
    this.verdict.tabIndex = 0;
    const foot = element("div", "foot", this.element);
    this.earlier = element("select", "", foot);
    this.earlier.setAttribute("aria-label", words("which"));
    this.earlier.addEventListener("change", () => this.draw(this.earlier.value));
    this.link = element("a", "open", foot);
    Object.assign(this.link, { target: "_blank", rel: "noopener", textContent: words("open") });
    this.draw(null);
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
  }
}
