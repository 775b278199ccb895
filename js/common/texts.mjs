// The texts of locales/<language>/main.json.

/**
 * From a text's name, such as "kinds.blurred", and the values to put into it, to the text itself.
 *
 * @typedef {((name: string, values?: object) => string) & { knows(name: string): boolean }} Words
 */

/**
 * The texts of `panel`, and the names of tags as "tags.…", in the language of `locale`, or else in
 * English; `messages` are ComfyUI's translations of every pack, by language.
 *
 * @returns {Words}
 */
export function texts(messages, locale, panel) {
  const of = (language) => {
    const { tags = {}, [panel]: own = {} } = messages[language]?.facet ?? {};
    return flattened({ ...own, tags });
  };
  const language = [locale, String(locale).split("-")[0]].find((one) => messages[one]?.facet);
  const [chosen, english] = [of(language), of("en")];
  const words = (name, values = {}) =>
    (chosen[name] ?? english[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
  return Object.assign(words, { knows: (name) => Object.hasOwn(english, name) });
}

/** @returns {Record<string, string>} */
function flattened(tree, path = "") {
  return Object.assign(
    {},
    ...Object.entries(tree).map(([key, value]) =>
      typeof value === "string" ? { [path + key]: value } : flattened(value, `${path}${key}.`),
    ),
  );
}

/**
 * A tag's value in the person's language, or else its `label`, or as it stands; `axis` tells apart
 * where a word has two meanings.
 */
export function tagName(words, value, axis = "", label = "") {
  const known = [`tags.${axis}_${value}`, `tags.${value}`].find(words.knows);
  return known ? words(known) : label || value.replaceAll("_", " ");
}
