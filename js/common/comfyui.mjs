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

/**
 * Every node of `classes`, those in subgraphs too.
 *
 * @param {string[]} classes
 * @param {Set<ComfyNode>} found
 */
export function nodesOf(classes, graph = rootGraph(), found = new Set()) {
  for (const node of graph?.nodes ?? []) {
    if (classes.includes(node.comfyClass)) found.add(node);
    if (node.subgraph) nodesOf(classes, node.subgraph, found);
  }
  return found;
}

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

/** Calls `take` with what the node shows under `name`, also when ComfyUI did not run it again. */
export function onShown(node, name, take) {
  after(node, "onExecuted", (output) => {
    const [shown] = output?.[name] ?? [];
    if (shown) take(shown);
  });
}

/** Calls `then` after the node has taken up its saved state. */
export const onConfigured = (node, then) => after(node, "onConfigure", then);

/** Calls `take` with what the node shows under `name`, now and when the workflow is loaded again. */
export function keepShown(node, name, take) {
  onShown(node, name, (shown) => {
    node.properties[name] = shown;
    take(shown);
  });
  onConfigured(node, () => take(node.properties[name] ?? null));
}

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

/** The widget `name`, which a panel stands for, as get() and set(text). */
export function textWidget(node, name) {
  const widget = node.widgets.find((one) => one.name === name);
  return {
    get: () => String(widget.value ?? ""),
    set(text) {
      widget.value = text;
      widget.callback?.(text);
      changed(node);
    },
  };
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
export const run = (node = null) => app.queuePrompt(0, 1, node ? [String(node.id)] : undefined);
