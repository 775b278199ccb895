// What a node in a subgraph keeps in the workflow, for each instance of that subgraph on its own.

import { changed, idOf, idsOf, onConfigured, onOpened, onShown } from "./comfyui.mjs";

/**
 * What each instance of the subgraph that `node` is in has of its own, in the workflow: get(id) and
 * set(value, id). `plain` is where it stands as long as there is one instance; others begin with it.
 */
export function ofInstances(node, name, plain) {
  const key = `${name}_by_instance`;
  return {
    get: (id = idOf(node)) => node.properties[key]?.[id] ?? plain.get(),
    set(value, id = idOf(node)) {
      const ids = idsOf(node);
      const kept = Object.entries(node.properties[key] ?? {}).filter(([one]) => ids.includes(one));
      if (ids.length > 1) node.properties[key] = { ...Object.fromEntries(kept), [id]: value };
      else {
        delete node.properties[key];
        plain.set(value);
      }
    },
  };
}

/** A property of `node` that is each instance's own, as get(id) and set(value, id). */
export const ownProperty = (node, name) =>
  ofInstances(node, name, {
    get: () => node.properties[name] ?? null,
    set: (value) => (node.properties[name] = value),
  });

/** Calls `take` with what the node shows under `name`, now and when it is seen again. */
export function keepShown(node, name, take) {
  const kept = ownProperty(node, name);
  const takeKept = () => take(kept.get());
  onShown(node, name, (shown, id) => {
    kept.set(shown, id);
    if (id === idOf(node)) take(shown);
  });
  onConfigured(node, takeKept);
  onOpened(node, takeKept);
}

/** The widget `name`, which a panel stands for, as get() and set(text): each instance has its own. */
export function textWidget(node, name) {
  const widget = node.widgets.find((one) => one.name === name);
  const own = ofInstances(node, name, {
    get: () => String(widget.value ?? ""),
    set(text) {
      widget.value = text;
      widget.callback?.(text);
    },
  });
  widget.serializeValue = ({ id }) => own.get(String(id));
  return {
    get: () => own.get(),
    set(text) {
      own.set(text);
      changed(node);
    },
  };
}
