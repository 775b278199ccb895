// The grid of shots in the shooting nodes, with a person's decisions; and a plan's coverage in its.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import {
  addPanel, ask, changed, hear, locale, makeRoom, nodeOf, nodesOf, once, outputUrl, rootGraph,
} from "./common/graph.mjs";
import { Coverage } from "./shots/coverage.mjs";
import { Grid } from "./shots/grid.mjs";

const NODES = [
  "FacetTurnaroundSheet",
  "FacetShotGenerator",
  "FacetPoseOutfitTransfer",
  "FacetTwoCharacters",
];
const GRID = "facet_grid"; // the node's property that names the file of what it made last
const PLAN = "FacetShotPlan";
const COVERAGE = "facet_coverage"; // what the plan's node shows, and the property that keeps it
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

/** Calls `take` with what the node shows under `name`, run or not. */
function onShown(node, name, take) {
  const executed = node.onExecuted;
  node.onExecuted = function (output, ...given) {
    executed?.call(this, output, ...given);
    // Sent for a node that ComfyUI did not run again, too.
    const [shown] = output?.[name] ?? [];
    if (shown) take(shown);
  };
}

/** Calls `then` after the node has taken its saved state up. */
function onConfigured(node, then) {
  const configured = node.onConfigure;
  node.onConfigure = function (...given) {
    configured?.apply(this, given);
    then();
  };
}

function addGrid(node) {
  const grid = new Grid({
    locale: locale(),
    decisions: decisionsOf(node),
    smallUrl: ({ folder }, { key }) =>
      api.apiURL(`/facet/shots/picture?${new URLSearchParams({ folder, key })}`),
    fullUrl: ({ folder }, { key }) => outputUrl(`${folder}/${key}.png`),
    outputUrl,
    resized: () => makeRoom(node),
  });
  grids.set(node, grid);
  addPanel(node, "shots", grid);
  onShown(node, "facet_shots", (view) => show(view, node));
  onConfigured(node, () => grid.decisionsChanged());
}

function addCoverage(node) {
  const coverage = new Coverage({ locale: locale(), resized: () => makeRoom(node) });
  addPanel(node, "coverage", coverage);
  onShown(node, COVERAGE, (shown) => {
    node.properties[COVERAGE] = shown;
    coverage.take(shown);
  });
  onConfigured(node, () => coverage.take(node.properties[COVERAGE] ?? null));
}

hear("facet.shots", (view) => show(view));
hear("facet.shots.preview", (preview) => grids.get(nodeOf(preview.node))?.takePreview(preview));
api.addEventListener("reconnected", refresh);

app.registerExtension({
  name: "facet.shots",

  nodeCreated(node) {
    if (NODES.includes(node.comfyClass)) addGrid(node);
    if (node.comfyClass === PLAN) addCoverage(node);
  },

  afterConfigureGraph() {
    refresh();
  },
});
