// The expression editor in its node: shows the faces of its last run and sets the node's widgets.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { addPanel, ask, changed, locale, makeRoom } from "./common/graph.mjs";
import { Editor } from "./expression/editor.mjs";

const NODE = "FacetExpressionEditor";
const SHOWN = "facet_expression"; // what the node shows, and the property that keeps it
const WIDEST = 420; // of a node that was just made, in px

let rig = null;

async function send(path, body) {
  const answer = await api.fetchApi(`/facet/expression/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return await answer.json();
}

const server = {
  async rig() {
    const told = await (rig ??= ask("/facet/expression/rig"));
    if (!told) rig = null;
    return structuredClone(told); // Each node adds presets to its own.
  },
  face: (key) => ask("/facet/expression/face", { key }),
  preview: (asked) => send("preview", asked),
  keep(name, sliders) {
    rig = null;
    return send("preset", { name, sliders });
  },
};

function addEditor(node) {
  const widgets = new Map(node.widgets.map((widget) => [widget.name, widget]));
  const editor = new Editor({
    locale: locale(),
    widgets,
    server,
    changed: () => changed(node),
    resized: () => makeRoom(node),
    run: () => app.queuePrompt(0, 1, [String(node.id)]),
  });
  for (const widget of widgets.values()) {
    const { callback } = widget;
    widget.callback = function (...given) {
      const answer = callback?.apply(this, given);
      editor.valuesChanged();
      return answer;
    };
  }
  addPanel(node, "expression", editor);
  if (node.size[0] < WIDEST) node.setSize([WIDEST, node.size[1]]);
  const executed = node.onExecuted;
  node.onExecuted = function (output, ...given) {
    executed?.call(this, output, ...given);
    // Sent for a node that ComfyUI did not run again, too.
    const [shown] = output?.[SHOWN] ?? [];
    if (!shown) return;
    node.properties[SHOWN] = shown;
    editor.take(shown);
  };
  const configured = node.onConfigure;
  node.onConfigure = function (...given) {
    configured?.apply(this, given);
    editor.take(node.properties[SHOWN] ?? null);
  };
}

app.registerExtension({
  name: "facet.expression",

  nodeCreated(node) {
    if (node.comfyClass === NODE) addEditor(node);
  },
});
