// The scorer's panel: what was found, and the way to its report.

import * as comfyui from "./common/comfyui.mjs";
import { oneAtATime } from "./common/elements.mjs";
import { ownProperty } from "./common/instances.mjs";
import { styles } from "./common/panel.mjs";
import { Verdict } from "./scoring/verdict.mjs";

const WIDTH = 380;
const NODE = "FacetIdentityScorer";
const REPORT = "facet_report"; // what the node shows, and the property that names its last report
const panels = new WeakMap();

await styles("scoring/scoring.css");

/** A report's page; `folder` is below the output folder, as in facet/Ada/report/<its own>. */
function reportUrl(folder) {
  const [, character, , ...own] = folder.split("/");
  const parts = [character, ...own, "report.html"].map(encodeURIComponent);
  return comfyui.serverUrl(`/facet/report/${parts.join("/")}`);
}

/** Shows the node's last report, with the character's earlier ones beside it. */
async function refresh(node) {
  const folder = ownProperty(node, REPORT).get();
  const panel = panels.get(node);
  if (!panel) return;
  const known = folder && (await comfyui.get("/facet/reports", { folder }));
  if (ownProperty(node, REPORT).get() === folder) panel.take(folder, known?.reports ?? []);
}

const refreshAll = oneAtATime(() => Promise.all(comfyui.nodesOf([NODE]).map(refresh)));

function addVerdict(node) {
  const panel = new Verdict({
    locale: comfyui.locale(),
    words: comfyui.wordsOf("scorer"),
    reportUrl,
    resized: () => comfyui.makeRoom(node),
  });
  panels.set(node, panel);
  comfyui.addPanel(node, "identity", panel, WIDTH);
  comfyui.onShown(node, REPORT, (folder, id) => {
    ownProperty(node, REPORT).set(folder, id);
    refresh(node);
  });
  comfyui.onOpened(node, () => refresh(node));
}

comfyui.register("facet.scorer", { [NODE]: addVerdict }, refreshAll);
