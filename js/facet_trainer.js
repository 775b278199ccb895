// The trainer node's panel: the course of its training while it runs, and of its last one after.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { addPanel, ask, hear, locale, nodeOf, nodesOf, once, outputUrl, rootGraph } from "./common/graph.mjs";
import { Panel } from "./training/panel.mjs";

const NODE = "FacetLoraTrainer";
const RUN = "facet_run"; // the node's property that names its last run's folder
const panels = new WeakMap();

function show(course) {
  const node = nodeOf(course.node);
  const panel = node && panels.get(node);
  if (!panel) return;
  if (course.folder) node.properties[RUN] = course.folder;
  // The canvas gives a taller panel its room when it draws the node again.
  node.setDirtyCanvas(true, true);
  if (panel.take(course)) return;
  // A message was missed, and what the server knows fills the gap; or else the curve begins here.
  refresh().then(() => panel.take(course) || panel.take({ ...course, after: 0 }));
}

/** Asks for what ran before this page, or this connection, was there. */
const refresh = once(async () => {
  const known = await ask("/facet/training", { workflow: rootGraph()?.id ?? "" });
  for (const course of known?.courses ?? []) show(course);
  for (const node of nodesOf([NODE])) {
    const panel = panels.get(node);
    const folder = node.properties?.[RUN];
    if (!panel || panel.course || !folder) continue;
    const course = await ask("/facet/training/run", { folder });
    if (course && !panel.course) panel.take(course);
  }
});

async function stop(course) {
  const answer = await api.fetchApi("/facet/training/stop", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ node: course.node, workflow: course.workflow }),
  });
  return await answer.json();
}

hear("facet.training", show);
api.addEventListener("reconnected", refresh);

app.registerExtension({
  name: "facet.trainer",

  nodeCreated(node) {
    if (node.comfyClass !== NODE) return;
    const panel = new Panel({
      locale: locale(),
      pictureUrl: ({ filename, subfolder }) => outputUrl(`${subfolder}/${filename}`),
      stop,
    });
    panels.set(node, panel);
    addPanel(node, "training", panel);
  },

  afterConfigureGraph() {
    refresh();
  },
});
