// What the scorer's node shows: the verdict in words, and a link to the report and to earlier ones.

import { element } from "../common/elements.mjs";
import { addStyle } from "../common/style.mjs";
import { texts } from "../common/texts.mjs";
import { STYLE } from "./style.mjs";
import { TEXTS } from "./texts.mjs";

const HEIGHT = 118;

export class Panel {
  minHeight = HEIGHT;
  reports = [];

  /** `reportUrl(folder)` is where the report in a folder opens. */
  constructor({ locale, reportUrl }) {
    addStyle("identity", STYLE);
    this.locale = locale;
    this.words = texts(TEXTS, locale);
    this.reportUrl = reportUrl;
    this.element = element("div", "facet-panel facet-identity");
    this.verdict = element("div", "verdict", this.element);
    this.verdict.setAttribute("role", "status");
    this.verdict.dataset.captureWheel = "true";
    this.verdict.tabIndex = 0;
    const foot = element("div", "foot", this.element);
    this.earlier = element("select", "", foot);
    this.earlier.setAttribute("aria-label", this.words("which"));
    this.earlier.addEventListener("change", () => this.draw(this.earlier.value));
    this.link = element("a", "open", foot);
    this.link.target = "_blank";
    this.link.rel = "noopener";
    this.link.textContent = this.words("open");
    this.draw(null);
  }

  /** Takes up the node's report in `folder` and what is known of it and of others, latest first. */
  take(folder, reports) {
    this.reports = reports;
    this.earlier.replaceChildren();
    for (const { folder: of, made } of reports) {
      const option = element("option", "", this.earlier);
      option.value = of;
      option.textContent = this.when(made);
    }
    this.draw(reports.some((one) => one.folder === folder) ? folder : (reports[0]?.folder ?? null));
  }

  when(made) {
    const options = { dateStyle: "medium", timeStyle: "short" };
    return new Intl.DateTimeFormat(this.locale, options).format(new Date(made));
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

  close() {}
}
