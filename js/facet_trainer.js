// The trainer node's panel: the course of its training while it runs, and of its last one after.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { Panel } from "./training/panel.mjs";

const NODE = "FacetLoraTrainer";
const RUN = "facet_run"; // the node's property that names its last run's folder
const panels = new WeakMap();

const rootGraph = () => app.rootGraph ?? app.graph;

/** The node that ComfyUI runs under `id`, such as "7", or "4:7" in a subgraph. */
function nodeOf(id) {
  let graph = rootGraph();
  let node = null;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(part) ?? null;
    graph = node?.subgraph;
  }
  return node;
}

function trainers(graph = rootGraph(), found = new Set()) {
  for (const node of graph?.nodes ?? []) {
    if (node.comfyClass === NODE) found.add(node);
    if (node.subgraph) trainers(node.subgraph, found);
  }
  return found;
}

async function ask(path) {
  const answer = await api.fetchApi(path);
  return answer.ok ? await answer.json() : null;
}

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

let asking = null;

/** Asks for what ran before this page, or this connection, was there. */
function refresh() {
  asking ??= catchUp().finally(() => (asking = null));
  return asking;
}

async function catchUp() {
  const workflow = rootGraph()?.id ?? "";
  const known = await ask(`/facet/training?workflow=${encodeURIComponent(workflow)}`);
  for (const course of known?.courses ?? []) show(course);
  for (const node of trainers()) {
    const panel = panels.get(node);
    const folder = node.properties?.[RUN];
    if (!panel || panel.course || !folder) continue;
    const course = await ask(`/facet/training/run?folder=${encodeURIComponent(folder)}`);
    if (course && !panel.course) panel.take(course);
  }
}

async function stop(course) {
  const answer = await api.fetchApi("/facet/training/stop", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ node: course.node, workflow: course.workflow }),
  });
  return await answer.json();
}

api.addEventListener("facet.training", ({ detail }) => {
  // Without an id the prompt came from a script, and node ids are all there is to go by.
  if (!detail.workflow || detail.workflow === rootGraph()?.id) show(detail);
});
api.addEventListener("reconnected", refresh);

app.registerExtension({
  name: "facet.trainer",

  nodeCreated(node) {
    if (node.comfyClass !== NODE) return;
    const panel = new Panel({
      locale: app.extensionManager?.setting?.get("Comfy.Locale") ?? "en",
      pictureUrl: ({ filename, subfolder }) =>
        api.apiURL(`/view?${new URLSearchParams({ filename, subfolder, type: "output" })}`),
      stop,
    });
    panels.set(node, panel);
    const widget = node.addDOMWidget("training", "facet_training", panel.element, {
      serialize: false,
      hideOnZoom: false,
      getMinHeight: () => panel.minHeight,
    });
    widget.serialize = false;
    panel.element.addEventListener("wheel", (event) => {
      // Nodes drawn by Vue pass the wheel on themselves.
      if (!window.LiteGraph?.vueNodesMode) app.canvas.processMouseWheel(event);
    });
    const removed = node.onRemoved;
    node.onRemoved = function (...given) {
      panel.close();
      return removed?.apply(this, given);
    };
  },

  afterConfigureGraph() {
    refresh();
  },
});
