// Texts in the languages of the pack.

/**
 * A function from a text's name, and what to put into it, to the text in `locale`; its `knows` says
 * whether there is a text of a name.
 */
export function texts(all, locale) {
  const chosen = all[locale] ?? all[String(locale).split("-")[0]] ?? all.en;
  const said = (name, values = {}) =>
    (chosen[name] ?? all.en[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  said.knows = (name) => Object.hasOwn(all.en, name);
  return said;
}
