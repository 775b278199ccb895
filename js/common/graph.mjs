// What every panel needs of the page: the nodes that ComfyUI runs, its server, and a place in a node.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

const MARGINS = 20; // what the canvas leaves free above and below a widget, in px

export const rootGraph = () => app.rootGraph ?? app.graph;
export const locale = () => app.extensionManager?.setting?.get("Comfy.Locale") ?? "en";

/** The node that ComfyUI runs under `id`, such as "7", or "4:7" in a subgraph. */
export function nodeOf(id) {
  let graph = rootGraph();
  let node = null;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(part) ?? null;
    graph = node?.subgraph;
  }
  return node;
}

/** Every node of the classes `kinds`, those in subgraphs too. */
export function nodesOf(kinds, graph = rootGraph(), found = new Set()) {
  for (const node of graph?.nodes ?? []) {
    if (kinds.includes(node.comfyClass)) found.add(node);
    if (node.subgraph) nodesOf(kinds, node.subgraph, found);
  }
  return found;
}

/** What the server answers, or null when it refuses. */
export async function ask(path, values = {}) {
  const answer = await api.fetchApi(`${path}?${new URLSearchParams(values)}`);
  return answer.ok ? await answer.json() : null;
}

/** Hears a message of the server that belongs to this graph. */
export function hear(message, told) {
  api.addEventListener(message, ({ detail }) => {
    // Without an id the prompt came from a script, and node ids are all there is to go by.
    if (!detail.workflow || detail.workflow === rootGraph()?.id) told(detail);
  });
}

/** A file of the output folder, given by its path in there. */
export function outputUrl(path) {
  const parts = path.split("/");
  const filename = parts.pop();
  return api.apiURL(`/view?${new URLSearchParams({ filename, subfolder: parts.join("/"), type: "output" })}`);
}

/** Asks one time at a time, and once more when it was called while an answer was on its way. */
export function once(asked) {
  let asking = null;
  let again = false;
  async function askAll() {
    do {
      again = false;
      await asked();
    } while (again);
  }
  return () => {
    again = true; // By now the page may show another graph.
    return (asking ??= askAll().finally(() => (asking = null)));
  };
}

/** Gives `panel`, which has an element, a minHeight and a close(), a place at the node's end. */
export function addPanel(node, name, panel) {
  const widget = node.addDOMWidget(name, `facet_${name}`, panel.element, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => panel.minHeight + MARGINS,
  });
  widget.serialize = false;
  panel.element.addEventListener("wheel", (event) => {
    // Nodes drawn by Vue pass the wheel on themselves, unless something in them has the focus.
    if (window.LiteGraph?.vueNodesMode) return;
    const scroller = event.target.closest("[data-capture-wheel]");
    const scrolls = scroller?.scrollHeight > scroller?.clientHeight && !event.ctrlKey;
    if (!scrolls || !panel.element.contains(document.activeElement)) app.canvas.processMouseWheel(event);
  });
  const removed = node.onRemoved;
  node.onRemoved = function (...given) {
    panel.close();
    return removed?.apply(this, given);
  };
}

/** Lets `node` grow to what its panel needs by now. */
export function makeRoom(node) {
  const needed = node.computeSize()[1];
  // Nodes drawn by Vue grow by themselves; the canvas would notice only at its second drawing.
  if (!window.LiteGraph?.vueNodesMode && node.size[1] < needed) node.setSize([node.size[0], needed]);
  node.setDirtyCanvas(true, true);
}

/** Has the workflow know that a person changed `node`: it is unsaved, and the change can be undone. */
export function changed(node) {
  node.setDirtyCanvas(true, true);
  app.extensionManager?.workflow?.activeWorkflow?.changeTracker?.captureCanvasState?.();
}
