// The trainer node's panel: its training while it runs, and its last one after.

import * as comfyui from "./common/comfyui.mjs";
import { Live } from "./common/live.mjs";
import { styles } from "./common/panel.mjs";
import { Progress } from "./training/progress.mjs";

const NODE = "FacetLoraTrainer";

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
    stop: ({ node: id, workflow }) => comfyui.post("/facet/training/stop", { node: id, workflow }),
    drawn: () => comfyui.redraw(node),
  });
  live.add(node, panel);
  comfyui.addPanel(node, "training", panel);
}

comfyui.onMessage("facet.training", (view) => live.show(view));
comfyui.register("facet.trainer", { [NODE]: addProgress }, live.refresh);
