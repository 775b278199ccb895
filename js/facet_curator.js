// The curator's gallery in its node: shows the dataset and keeps what a person decides about it.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { addPanel, ask, changed, locale, makeRoom } from "./common/graph.mjs";
import { Gallery } from "./curator/gallery.mjs";

const NODE = "FacetDatasetCurator";
const SHOWN = "facet_curator"; // what the node shows
const GALLERY = "facet_gallery"; // the node's property that names the file of what it showed last
const WIDEST = 780; // of a node that was just made, in px
const KEY_DIGITS = 32;

async function keep(decisions) {
  const answer = await api.fetchApi("/facet/curator/keep", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(decisions),
  });
  return await answer.json();
}

function pictureUrl({ folder }, { hash }, large = false) {
  const asked = new URLSearchParams({ folder, key: hash.slice(0, KEY_DIGITS) });
  return api.apiURL(`/facet/curator/picture?${asked}${large ? "&large=1" : ""}`);
}

function addGallery(node) {
  const widget = node.widgets.find((one) => one.name === "curation");
  const gallery = new Gallery({
    locale: locale(),
    curation: {
      get: () => widget.value,
      set(text) {
        widget.value = text;
        widget.callback?.(text);
        changed(node);
      },
    },
    pictureUrl,
    keep,
    resized: () => makeRoom(node),
    run: () => app.queuePrompt(0, 1),
  });
  addPanel(node, "curator", gallery);
  if (node.size[0] < WIDEST) node.setSize([WIDEST, node.size[1]]);

  async function load() {
    const path = node.properties[GALLERY];
    const view = path && (await ask("/facet/curator", { path }));
    if (view && path === node.properties[GALLERY]) gallery.take(view);
  }

  const executed = node.onExecuted;
  node.onExecuted = function (output, ...given) {
    executed?.call(this, output, ...given);
    // Sent for a node that ComfyUI did not run again, too.
    const [shown] = output?.[SHOWN] ?? [];
    if (!shown) return;
    node.properties[GALLERY] = shown.gallery;
    load();
  };
  const configured = node.onConfigure;
  node.onConfigure = function (...given) {
    configured?.apply(this, given);
    gallery.valueChanged();
    load();
  };
}

app.registerExtension({
  name: "facet.curator",

  nodeCreated(node) {
    if (node.comfyClass === NODE) addGallery(node);
  },
});
