// ComfyUI's front end: its graph and nodes, its server, its settings. No other module knows it.

// @ts-expect-error: ComfyUI serves it.
import { api as served } from "../../../scripts/api.js";
// @ts-expect-error: ComfyUI serves it.
import { app as running } from "../../../scripts/app.js";
import { texts } from "./texts.mjs";

/** @typedef {import("../types").ComfyNode} ComfyNode */

/** @type {import("../types").ComfyApi} */
const api = served;
/** @type {import("../types").ComfyApp} */
const app = running;

const MARGINS = 20; // what the canvas leaves free above and below a widget, in px

const rootGraph = () => app.rootGraph ?? app.graph;
const drawnByVue = () => Boolean(window["LiteGraph"]?.vueNodesMode);

export const graphId = () => rootGraph()?.id ?? "";
export const locale = () => app.extensionManager?.setting?.get("Comfy.Locale") ?? "en";

/** Every pack's translations by language: ComfyUI merges all `locales` folders. */
const messages = (await get("/i18n").catch(() => null)) ?? {};

/** The texts of a panel in the language of the page. */
export const wordsOf = (panel) => texts(messages, locale(), panel);

/** What the server answers, or null when it refuses. */
export async function get(path, values = {}) {
  const answer = await api.fetchApi(withValues(path, values));
  return answer.ok ? await answer.json() : null;
}

/** What the server answers to `body`, {error} too. */
export async function post(path, body) {
  const answer = await api.fetchApi(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return await answer.json();
}

/** The address of something that the server has. */
export const serverUrl = (path, values = {}) => api.apiURL(withValues(path, values));

function withValues(path, values) {
  const asked = String(new URLSearchParams(values));
  return asked ? `${path}?${asked}` : path;
}

/** The address of a file in the output folder, given by its path in there. */
export function outputUrl(path) {
  const parts = path.split("/");
  const filename = parts.pop();
  return serverUrl("/view", { filename, subfolder: parts.join("/"), type: "output" });
}

/** Calls `told` with each message of the server that belongs to this graph. */
export function onMessage(name, told) {
  api.addEventListener(name, ({ detail }) => {
    // Without an id the prompt came from a script, and node ids are all there is to go by.
    if (!detail.workflow || detail.workflow === rootGraph()?.id) told(detail);
  });
}

let prompt = null; // the id of the one that ComfyUI runs

api.addEventListener("execution_start", ({ detail }) => (prompt = detail.prompt_id));

/** Whether the workflow is seen as an app, in which there are no nodes, and so no panels. */
function inApp() {
  const workflow = app.extensionManager?.workflow?.activeWorkflow;
  return (workflow?.activeMode ?? workflow?.initialMode) === "app";
}

/** Shows the picture at `url` as what the node that runs under `id` has made by now, in an app. */
export async function showInApp(id, url) {
  const jobId = prompt;
  if (!jobId || !inApp()) return;
  const answer = await fetch(url);
  if (!answer.ok || jobId !== prompt) return;
  const detail = { blob: await answer.blob(), nodeId: id, displayNodeId: id, jobId };
  api.dispatchEvent(new CustomEvent("b_preview_with_metadata", { detail }));
}

/**
 * Registers an extension: `nodes` holds a function by node class, called with each node that is
 * made; `loaded` is called when a graph has been loaded and when the server is there again.
 *
 * @param {Record<string, (node: ComfyNode) => void>} nodes
 */
export function register(name, nodes, loaded = () => {}) {
  api.addEventListener("reconnected", () => loaded());
  app.registerExtension({
    name,
    nodeCreated(node) {
      if (Object.hasOwn(nodes, node.comfyClass)) nodes[node.comfyClass](node);
    },
    afterConfigureGraph() {
      loaded();
    },
    setup() {
      const classes = Object.keys(nodes);
      app.canvas.canvas.addEventListener("subgraph-opening", (event) => {
        const { subgraph, fromNode } = /** @type {CustomEvent} */ (event).detail;
        openedFrom.set(subgraph.id, fromNode);
        const all = nodesOf(classes, subgraph).flatMap((node) => opened.get(node) ?? []);
        for (const told of all) told();
      });
    },
  });
}

/** Calls `told` with each saved graph before it is loaded. */
export const onGraph = (name, told) =>
  app.registerExtension({ name, beforeConfigureGraph: (graph) => void told(graph) });

/** The names of the inputs of a node class, or null when there is no such class. */
export function inputsOf(type) {
  const registered = window["LiteGraph"]?.registered_node_types?.[type];
  return registered ? new Set(Object.keys(registered.nodeData?.inputs ?? {})) : null;
}

/** Shows a warning that stays until a person closes it. */
export const warn = (summary, detail) =>
  app.extensionManager?.toast?.add({ severity: "warn", summary, detail });

/**
 * The node that ComfyUI runs under `id`, such as "7", or "4:7" in a subgraph.
 *
 * @returns {ComfyNode | null}
 */
export function nodeOf(id) {
  let graph = rootGraph();
  let node = null;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(part) ?? null;
    graph = node?.subgraph;
  }
  return node;
}

/** By the id of a subgraph, the node outside that it was opened from last. */
const openedFrom = new Map();
/** By node, what is told when the subgraph that it is in has been opened. */
const opened = new WeakMap();

/** Calls `told` when a person looks at `node` in what may be another instance of its subgraph. */
export const onOpened = (node, told) => opened.set(node, [...(opened.get(node) ?? []), told]);

/** The ids that ComfyUI runs `node` under: as many as its subgraph has instances. */
export function idsOf(node) {
  if (!node.graph || node.graph.id === rootGraph()?.id) return [String(node.id)];
  return hostsOf(node.graph).flatMap((host) => idsOf(host).map((id) => `${id}:${node.id}`));
}

/** The one of them that a person looks at: of the instance that was opened last. */
export function idOf(node) {
  if (!node.graph || node.graph.id === rootGraph()?.id) return String(node.id);
  const hosts = hostsOf(node.graph);
  const last = openedFrom.get(node.graph.id);
  const host = hosts.includes(last) ? last : hosts[0];
  return host ? `${idOf(host)}:${node.id}` : String(node.id);
}

/** The nodes that stand for the instances of a subgraph. */
const hostsOf = (graph) => [...allNodes()].filter(({ subgraph }) => subgraph?.id === graph.id);

/**
 * Every node of a graph and of the subgraphs in it.
 *
 * @param {Set<ComfyNode>} found
 */
function allNodes(graph = rootGraph(), found = new Set()) {
  for (const node of graph?.nodes ?? []) {
    found.add(node);
    if (node.subgraph) allNodes(node.subgraph, found);
  }
  return found;
}

/** Every node of `classes`, those in subgraphs too. */
export const nodesOf = (classes, graph = rootGraph()) =>
  [...allNodes(graph)].filter(({ comfyClass }) => classes.includes(comfyClass));

let panels = 0;

/**
 * Gives `panel` a place at the node's end; a node that was just made is at least `width` px wide.
 *
 * @param {ComfyNode} node
 * @param {import("./panel.mjs").Panel} panel
 */
export function addPanel(node, name, panel, width = 0) {
  // Where a subgraph is opened, nodes drawn by Vue keep what they show of a widget for one of the
  // same name and type in a node of the same id: so no two panels have one type.
  const widget = node.addDOMWidget(name, `facet_${name}_${++panels}`, panel.element, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => panel.minHeight + MARGINS,
  });
  widget.serialize = false;
  panel.element.addEventListener("wheel", (event) => {
    // Nodes drawn by Vue pass the wheel on themselves, unless something in them has the focus.
    if (drawnByVue()) return;
    const target = /** @type {Element} */ (event.target);
    const scroller = target.closest("[data-capture-wheel]");
    const scrolls = scroller?.scrollHeight > scroller?.clientHeight && !event.ctrlKey;
    if (!scrolls || !panel.element.contains(document.activeElement)) {
      app.canvas.processMouseWheel(event);
    }
  });
  after(node, "onRemoved", () => panel.close());
  if (node.size[0] < width) node.setSize([width, node.size[1]]);
}

/**
 * Has ComfyUI leave undo by key to what is in `element`: its own makes the whole graph anew.
 *
 * @param {HTMLElement} element
 */
export function ownUndo(element) {
  // ComfyUI hears keys before anybody else does, and passes over what says that it takes text.
  const takesText = { type: { value: "textarea" }, isContentEditable: { value: true } };
  element.addEventListener("focusin", ({ target }) => {
    const says = ["INPUT", "TEXTAREA"].includes(/** @type {Element} */ (target).tagName);
    if (!says) Object.defineProperties(target, takesText);
  });
}

const shows = new WeakMap();

api.addEventListener("executed", ({ detail }) => {
  const id = String(detail.display_node || detail.node);
  for (const { name, take } of shows.get(nodeOf(id)) ?? []) {
    const [shown] = detail.output?.[name] ?? [];
    if (shown) take(shown, id);
  }
});

/**
 * Calls `take` with what the node shows under `name`, also when ComfyUI did not run it again, and
 * with the id that it ran under.
 */
export const onShown = (node, name, take) =>
  shows.set(node, [...(shows.get(node) ?? []), { name, take }]);

/** Calls `then` after the node has taken up its saved state. */
export const onConfigured = (node, then) => after(node, "onConfigure", then);

/** Calls `then` after each call of a node's or widget's own `hook`. */
function after(owner, hook, then) {
  const own = owner[hook];
  owner[hook] = function (...given) {
    const answer = own?.apply(this, given);
    then(...given);
    return answer;
  };
}

/** Calls `told` after each change of one of the node's widgets; answers the widgets by name. */
export function onWidgets(node, told) {
  for (const widget of node.widgets) after(widget, "callback", () => told());
  return new Map(node.widgets.map((widget) => [widget.name, widget]));
}

/** Has the canvas draw the node again, and give a taller panel its room. */
export const redraw = (node) => node.setDirtyCanvas(true, true);

/** Lets `node` grow to what its panel needs by now. */
export function makeRoom(node) {
  const needed = node.computeSize()[1];
  // Nodes drawn by Vue grow by themselves; the canvas would notice only at its second drawing.
  if (!drawnByVue() && node.size[1] < needed) node.setSize([node.size[0], needed]);
  redraw(node);
}

/** Has the workflow know that a person changed `node`: it is unsaved, and can be undone. */
export function changed(node) {
  redraw(node);
  app.extensionManager?.workflow?.activeWorkflow?.changeTracker?.captureCanvasState?.();
}

/** Queues the graph once, or only what `node` needs. */
export const run = (node = null) => app.queuePrompt(0, 1, node ? [idOf(node)] : undefined);
