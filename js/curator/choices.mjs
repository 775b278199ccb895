// What is decided by now: read from the node's widget, written to it, and kept beside the dataset.

import { captionsChanged, decided, parsed, same, written } from "./decisions.mjs";
import { History } from "./history.mjs";

const SECONDS_UNTIL_KEPT = 0.5;

export class Choices {
  shots = {};
  approved = "";
  trouble = "";
  unsaved = {};
  history = new History();
  /** @type {import("../types").GalleryView | null} */
  view = null;
  timer = null;

  /**
   * `curation` reads and writes the widget: get() and set(text). `keep` writes decisions beside the
   * dataset and answers {error} when it cannot; `changed` is told when something else holds, and
   * `said` when the keeping went wrong or well again.
   */
  constructor({ curation, keep, changed, said, unreachable }) {
    this.curation = curation;
    this.sendKept = keep;
    this.changed = changed;
    this.said = said;
    this.unreachable = unreachable;
  }

  /** Takes up the widget's decisions about the pictures of `view`. */
  read(view) {
    if (view?.folder !== this.view?.folder) {
      this.keep(); // beside the dataset that it was decided about
      this.history = new History();
    }
    this.view = view;
    const text = this.curation.get() ?? "";
    const kept = view?.kept ?? { shots: {} };
    Object.assign(this, text.trim() ? parsed(text) : { shots: kept.shots, approved: "" });
  }

  /** Decides about several pictures at once: `values` by hash. */
  decide(values) {
    let shots = this.shots;
    for (const shot of this.view.shots) {
      const asked = values.get(shot.hash);
      if (asked) shots = decided(shots, shot, asked, this.view.vocabulary);
    }
    if (same(shots, this.shots)) return;
    this.history.push(this.shots);
    this.hold(shots);
  }

  /** Goes one decision back or forth: "undo" or "redo". */
  go(by) {
    const shots = this.history[by](this.shots);
    if (shots) this.hold(shots);
  }

  hold(shots) {
    this.write(() => {
      this.unsaved = { ...this.unsaved, ...captionsChanged(this.view.shots, this.shots, shots) };
      this.shots = shots;
    });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), SECONDS_UNTIL_KEPT * 1000);
  }

  /** Says that the pictures were looked through, or, with "", that they were not. */
  approve(set) {
    this.write(() => {
      this.approved = set;
    });
  }

  write(change) {
    // What was kept beside the dataset goes into the workflow first, so that it can be undone to.
    if (!(this.curation.get() ?? "").trim()) this.curation.set(written(this));
    change();
    this.curation.set(written(this));
    this.changed();
  }

  /** Writes beside the dataset what is not there yet. */
  async keep() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = null;
    const captions = this.unsaved;
    this.unsaved = {};
    const { folder, shots } = this.view;
    const pictures = shots.map(({ hash }) => hash);
    const sent = { folder, curation: written(this), pictures, captions };
    const { error } = await this.sendKept(sent).catch(() => ({ error: this.unreachable }));
    if (error) this.unsaved = { ...captions, ...this.unsaved };
    this.trouble = error ?? "";
    this.said();
  }
}
