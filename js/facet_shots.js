// The grid of shots in the shooting nodes, with a person's decisions; and a plan's coverage in its.

import * as comfyui from "./common/comfyui.mjs";
import { isRunning, lastOf } from "./common/elements.mjs";
import { keepShown, textWidget } from "./common/instances.mjs";
import { Live } from "./common/live.mjs";
import { styles } from "./common/panel.mjs";
import { Coverage } from "./shots/coverage.mjs";
import { Grid } from "./shots/grid.mjs";

const NODES = [
  "FacetTurnaroundSheet",
  "FacetShotGenerator",
  "FacetPoseOutfitTransfer",
  "FacetTwoCharacters",
];

await styles("common/viewer.css", "shots/shots.css", "shots/coverage.css");

const smallUrl = ({ folder }, { key }) =>
  comfyui.serverUrl("/facet/shots/picture", { folder, key });

const live = new Live({
  classes: NODES,
  property: "facet_grid",
  pathOf: (view) => view.grid,
  route: "/facet/shots",
  known: (answer) => answer.grids,
  stored: (path) => comfyui.get("/facet/shots/grid", { path }),
});

function addGrid(node) {
  const grid = new Grid({
    words: comfyui.wordsOf("shots"),
    decisions: textWidget(node, "decisions"),
    smallUrl,
    outputUrl: comfyui.outputUrl,
    resized: () => comfyui.makeRoom(node),
  });
  live.add(node, grid);
  comfyui.addPanel(node, "shots", grid);
  comfyui.onShown(node, "facet_shots", (view, id) => live.show(view, id));
  comfyui.onConfigured(node, () => grid.decisionsChanged());
}

function addCoverage(node) {
  const coverage = new Coverage({
    words: comfyui.wordsOf("coverage"),
    resized: () => comfyui.makeRoom(node),
  });
  comfyui.addPanel(node, "coverage", coverage);
  keepShown(node, "facet_coverage", (shown) => coverage.take(shown));
}

comfyui.onMessage("facet.shots", (view) => {
  live.show(view);
  const made = isRunning(view) && lastOf(view.cells.filter((cell) => cell.picture || cell.key));
  if (made) comfyui.showInApp(view.node, made.picture || smallUrl(view, made));
});
comfyui.onMessage("facet.shots.preview", (preview) => {
  if (preview.picture) comfyui.showInApp(preview.node, preview.picture);
  live.panelOf(String(preview.node))?.takePreview(preview);
});
comfyui.register(
  "facet.shots",
  { FacetShotPlan: addCoverage, ...Object.fromEntries(NODES.map((name) => [name, addGrid])) },
  live.refresh,
);
