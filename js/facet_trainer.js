// The trainer node's panel: its training while it runs, and its last one after.

import * as comfyui from "./common/comfyui.mjs";
import { Live } from "./common/live.mjs";
import { styles } from "./common/panel.mjs";
import { Progress } from "./training/progress.mjs";

const NODE = "FacetLoraTrainer";
const MS_BETWEEN_CURVES = 3000;

await styles("training/training.css");

const live = new Live({
  classes: [NODE],
  property: "facet_run",
  pathOf: (view) => view.folder,
  route: "/facet/training",
  known: (answer) => answer.courses,
  stored: (folder) => comfyui.get("/facet/training/run", { folder }),
});

function addProgress(node) {
  const panel = new Progress({
    words: comfyui.wordsOf("training"),
    sampleUrl: ({ filename, subfolder }) => comfyui.outputUrl(`${subfolder}/${filename}`),
    ask: ({ node: id, workflow }, what) =>
      comfyui.post("/facet/training/ask", { node: id, workflow, what }),
    drawn: () => comfyui.redraw(node),
  });
  live.add(node, panel);
  comfyui.addPanel(node, "training", panel);
}

let drawn = 0; // when an app was last shown the curve

comfyui.onMessage("facet.training", (view) => {
  live.show(view);
  if (!view.step || Date.now() - drawn < MS_BETWEEN_CURVES) return;
  drawn = Date.now();
  const { folder, step } = view;
  comfyui.showInApp(view.node, comfyui.serverUrl("/facet/training/curve", { folder, step }));
});
comfyui.register("facet.trainer", { [NODE]: addProgress }, live.refresh);
