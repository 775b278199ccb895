// Workflows that were saved with an earlier version of the pack.

/**
 * The names of the pack's nodes in a saved `graph` that are another node by now: `inputsOf` gives
 * the names of a node class's inputs, or null for a class that there is not.
 */
export function changedNodes(graph, inputsOf) {
  const subgraphs = graph?.definitions?.subgraphs ?? [];
  const nodes = [graph, ...subgraphs].flatMap((one) => one?.nodes ?? []);
  const changed = nodes.filter(({ type, inputs }) => {
    if (!String(type).startsWith("Facet")) return false;
    const known = inputsOf(type);
    return !known || (inputs ?? []).some(({ name }) => !known.has(String(name).split(".")[0]));
  });
  return [...new Set(changed.map(({ type, title }) => title || spaced(type)))].sort();
}

/** "FacetShotGenerator" as "Facet Shot Generator". */
const spaced = (type) => type.replace(/([a-z])([A-Z])/g, "$1 $2");
