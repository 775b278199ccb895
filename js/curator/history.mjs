// What was decided before, to go back to and forth again.

const MOST = 100;

export class History {
  before = [];
  after = [];

  /** Something else holds from now on; `shots` is what held until now. */
  push(shots) {
    this.before = [...this.before.slice(1 - MOST), shots];
    this.after = [];
  }

  /** What held before `shots`, or undefined. */
  undo(shots) {
    if (!this.before.length) return undefined;
    this.after.push(shots);
    return this.before.pop();
  }

  /** What was taken back last, or undefined. */
  redo(shots) {
    if (!this.after.length) return undefined;
    this.before.push(shots);
    return this.after.pop();
  }
}
