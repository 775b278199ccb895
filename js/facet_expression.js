// The expression editor in its node: shows the faces of its last run and sets the node's widgets.

import * as comfyui from "./common/comfyui.mjs";
import { keepShown } from "./common/instances.mjs";
import { styles } from "./common/panel.mjs";
import { Editor } from "./expression/editor.mjs";

const WIDTH = 420;

let rig = null;

await styles("expression/expression.css");

const server = {
  async rig() {
    const answer = await (rig ??= comfyui.get("/facet/expression/rig"));
    if (!answer) rig = null;
    return structuredClone(answer); // Each node adds presets to its own.
  },
  face: (key) => comfyui.get("/facet/expression/face", { key }),
  preview: (asked) => comfyui.post("/facet/expression/preview", asked),
  keep(name, sliders) {
    rig = null;
    return comfyui.post("/facet/expression/preset", { name, sliders });
  },
};

function addEditor(node) {
  const editor = new Editor({
    words: comfyui.wordsOf("expression"),
    widgets: comfyui.onWidgets(node, () => editor.valuesChanged()),
    server,
    changed: () => comfyui.changed(node),
    resized: () => comfyui.makeRoom(node),
    run: () => comfyui.run(node),
  });
  comfyui.addPanel(node, "expression", editor, WIDTH);
  keepShown(node, "facet_expression", (shown) => editor.take(shown));
}

comfyui.register("facet.expression", { FacetExpressionEditor: addEditor });
