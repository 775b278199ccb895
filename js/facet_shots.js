// The grid of shots in both shooting nodes: each as it comes, and a person's decisions about it.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import {
  addPanel, ask, changed, hear, locale, nodeOf, nodesOf, once, outputUrl, rootGraph,
} from "./common/graph.mjs";
import { Grid } from "./shots/grid.mjs";

const NODES = ["FacetTurnaroundSheet", "FacetShotGenerator"];
const GRID = "facet_grid"; // the node's property that names the file of what it made last
const grids = new WeakMap();

function show(view, node = nodeOf(view.node)) {
  const grid = node && grids.get(node);
  if (!grid) return;
  if (view.grid) node.properties[GRID] = view.grid;
  if (grid.take(view)) return;
  // A message was missed, and what the server knows fills the gap.
  refresh();
}

/** Asks for what was made before this page, or this connection, was there. */
const refresh = once(async () => {
  const known = await ask("/facet/shots", { workflow: rootGraph()?.id ?? "" });
  for (const view of known?.grids ?? []) show(view);
  for (const node of nodesOf(NODES)) {
    const grid = grids.get(node);
    const path = node.properties?.[GRID];
    if (!grid || grid.view || !path) continue;
    const view = await ask("/facet/shots/grid", { path });
    if (view && !grid.view) grid.take({ ...view, after: 0 });
  }
});

/** The widget `decisions`, which the grid stands for. */
function decisionsOf(node) {
  const widget = node.widgets.find((one) => one.name === "decisions");
  return {
    get: () => widget.value,
    set(text) {
      widget.value = text;
      widget.callback?.(text);
      changed(node);
    },
  };
}

hear("facet.shots", (view) => show(view));
hear("facet.shots.preview", (preview) => grids.get(nodeOf(preview.node))?.takePreview(preview));
api.addEventListener("reconnected", refresh);

app.registerExtension({
  name: "facet.shots",

  nodeCreated(node) {
    if (!NODES.includes(node.comfyClass)) return;
    const grid = new Grid({
      locale: locale(),
      decisions: decisionsOf(node),
      smallUrl: ({ folder }, { key }) =>
        api.apiURL(`/facet/shots/picture?${new URLSearchParams({ folder, key })}`),
      fullUrl: ({ folder }, { key }) => outputUrl(`${folder}/${key}.png`),
      outputUrl,
      resized: () => node.setDirtyCanvas(true, true),
    });
    grids.set(node, grid);
    addPanel(node, "shots", grid);
    const executed = node.onExecuted;
    node.onExecuted = function (output, ...given) {
      executed?.call(this, output, ...given);
      // Sent for a node that ComfyUI did not run again, too.
      const [view] = output?.facet_shots ?? [];
      if (view) show(view, node);
    };
    const configured = node.onConfigure;
    node.onConfigure = function (...given) {
      configured?.apply(this, given);
      grid.decisionsChanged();
    };
  },

  afterConfigureGraph() {
    refresh();
  },
});
