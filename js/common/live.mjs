// Panels that show what their node does: as the server tells it, and asked for after a reload.

import { get, graphId, nodeOf, nodesOf } from "./comfyui.mjs";
import { oneAtATime } from "./elements.mjs";

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
        const path = node.properties?.[property];
        if (!panel || panel.view || !path) continue;
        const view = await stored(path);
        if (view && !panel.view) panel.take({ ...view, after: 0 });
      }
    });
  }

  /** Shows `view` in the panel of its node. */
  show(view, node = nodeOf(view.node)) {
    const panel = node && this.panels.get(node);
    if (!panel) return;
    const path = this.pathOf(view);
    if (path) node.properties[this.property] = path;
    if (panel.take(view)) return;
    // A message was missed: what the server knows fills the gap, or else the panel begins here.
    this.refresh().then(() => panel.take(view) || panel.begin?.(view));
  }
}
