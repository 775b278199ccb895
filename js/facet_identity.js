// The scorer's panel: what was found, and the way to its report.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { addPanel, ask, locale, nodesOf, once } from "./common/graph.mjs";
import { Panel } from "./identity/panel.mjs";

const NODE = "FacetIdentityScorer";
const REPORT = "facet_report"; // what the node shows, and the property that names its last report
const panels = new WeakMap();

/** A report's page; `folder` is below the output folder, as in facet/Ada/report/<its own>. */
function reportUrl(folder) {
  const [, character, , ...own] = folder.split("/");
  const parts = [character, ...own, "report.html"].map(encodeURIComponent);
  return api.apiURL(`/facet/report/${parts.join("/")}`);
}

/** Shows the node's last report, with the character's earlier ones beside it. */
async function refresh(node) {
  const folder = node.properties?.[REPORT];
  const panel = panels.get(node);
  if (!panel || !folder) return;
  const known = await ask("/facet/reports", { folder });
  if (node.properties[REPORT] === folder) panel.take(folder, known?.reports ?? []);
}

const refreshAll = once(() => Promise.all([...nodesOf([NODE])].map(refresh)));

api.addEventListener("reconnected", refreshAll);

app.registerExtension({
  name: "facet.identity",

  nodeCreated(node) {
    if (node.comfyClass !== NODE) return;
    const panel = new Panel({ locale: locale(), reportUrl });
    panels.set(node, panel);
    addPanel(node, "identity", panel);
    const executed = node.onExecuted;
    node.onExecuted = function (output, ...given) {
      executed?.call(this, output, ...given);
      // Sent for a node that ComfyUI did not run again, too.
      const [folder] = output?.[REPORT] ?? [];
      if (!folder) return;
      this.properties[REPORT] = folder;
      refresh(this);
    };
  },

  afterConfigureGraph() {
    refreshAll();
  },
});
