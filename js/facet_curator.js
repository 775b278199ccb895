// The curator's gallery in its node: shows the dataset and keeps what a person decides about it.

import * as comfyui from "./common/comfyui.mjs";
import { ownProperty, textWidget } from "./common/instances.mjs";
import { styles } from "./common/panel.mjs";
import { Gallery } from "./curator/gallery.mjs";

const GALLERY = "facet_gallery"; // the node's property that names the file of what it showed last
const WIDTH = 780;
const KEY_DIGITS = 32;

await styles("common/viewer.css", "curator/curator.css");

function addGallery(node) {
  const gallery = new Gallery({
    words: comfyui.wordsOf("curator"),
    curation: textWidget(node, "curation"),
    imageUrl: ({ folder }, { hash }, large = false) =>
      comfyui.serverUrl("/facet/curator/picture", {
        folder,
        key: hash.slice(0, KEY_DIGITS),
        ...(large && { large: 1 }),
      }),
    keep: (decisions) => comfyui.post("/facet/curator/keep", decisions),
    resized: () => comfyui.makeRoom(node),
    run: () => comfyui.run(),
  });
  comfyui.addPanel(node, "curator", gallery, WIDTH);
  comfyui.ownUndo(gallery.element);

  const path = ownProperty(node, GALLERY);

  async function load() {
    const asked = path.get();
    const view = asked && (await comfyui.get("/facet/curator", { path: asked }));
    if (view && asked === path.get()) gallery.take(view);
  }

  comfyui.onShown(node, "facet_curator", (shown, id) => {
    path.set(shown.gallery, id);
    if (id === comfyui.idOf(node)) load();
  });
  comfyui.onConfigured(node, () => {
    gallery.valueChanged();
    load();
  });
  comfyui.onOpened(node, () => {
    gallery.take(null);
    load();
  });
}

comfyui.register("facet.curator", { FacetDatasetCurator: addGallery });
