// Panels that show what their node does: as the server tells it, and asked for after a reload.

import { get, graphId, idOf, nodeOf, nodesOf, onOpened } from "./comfyui.mjs";
import { oneAtATime } from "./elements.mjs";
import { ownProperty } from "./instances.mjs";

/** @typedef {import("../types").ComfyNode} ComfyNode */
/** @typedef {import("../types").LivePanel} LivePanel */

export class Live {
  /** @type {WeakMap<ComfyNode, LivePanel>} */
  panels = new WeakMap();

  /**
   * `classes` are the nodes'; `property` of a node keeps `pathOf(view)`, which `stored(path)` reads
   * again from the output folder; `known(answer)` are the views that the server has of this graph
   * under `route`.
   */
  constructor({ classes, property, pathOf, route, known, stored }) {
    this.property = property;
    this.pathOf = pathOf;
    /** Asks for what was made before this page, or this connection, was there. */
    this.refresh = oneAtATime(async () => {
      const answer = await get(route, { workflow: graphId() });
      for (const view of (answer && known(answer)) ?? []) this.show(view);
      for (const node of nodesOf(classes)) {
        const panel = this.panels.get(node);
        const [id, path] = [idOf(node), ownProperty(node, property).get()];
        if (!panel || panel.view || !path) continue;
        const view = await stored(path);
        if (view && !panel.view && id === idOf(node)) panel.take({ ...view, after: 0 });
      }
    });
  }

  /** Has `panel` follow `node`. */
  add(node, panel) {
    this.panels.set(node, panel);
    onOpened(node, () => {
      panel.forget();
      this.refresh();
    });
  }

  /** Shows `view` in the panel of its node, unless a person looks at another instance of it. */
  show(view, id = String(view.node)) {
    const panel = this.panelOf(id);
    const node = nodeOf(id);
    const path = this.pathOf(view);
    if (path && this.panels.has(node)) ownProperty(node, this.property).set(path, id);
    if (!panel || panel.take(view)) return;
    // A message was missed: what the server knows fills the gap, or else the panel begins here.
    this.refresh().then(() => this.panelOf(id) && (panel.take(view) || panel.begin?.(view)));
  }

  /** The panel that shows what runs under `id`, if it is seen. */
  panelOf(id) {
    const node = nodeOf(id);
    return node && idOf(node) === id ? this.panels.get(node) : undefined;
  }
}
