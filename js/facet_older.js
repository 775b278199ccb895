// Says which nodes of a workflow were saved with an earlier version of the pack.

import * as comfyui from "./common/comfyui.mjs";
import { changedNodes } from "./common/older.mjs";

const words = comfyui.wordsOf("older");

comfyui.onGraph("facet.older", (graph) => {
  const changed = changedNodes(graph, comfyui.inputsOf);
  if (changed.length) comfyui.warn(words("title"), words("changed", { nodes: changed.join(", ") }));
});
