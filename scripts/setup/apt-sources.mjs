/**
 * One stanza of apt's sources: field name to value, as in a `.sources` file (continuation lines included).
 *
 * @typedef {Record<string, string>} AptSource
 */

/**
 * Reads apt's sources, in the deb822 form (`.sources`) or the one-line form (`.list`). Disabled entries are left out.
 *
 * @param {string} text
 * @param {string} name the file's name, whose ending says which form it is
 * @returns {AptSource[]}
 */
export function parseAptSources(text, name) {
  return name.endsWith(".sources") ? parseStanzas(text) : parseLines(text);
}

/**
 * @param {string} text
 * @returns {AptSource[]}
 */
function parseStanzas(text) {
  const withoutComments = text.replace(/^#.*\n?/gm, "");
  return withoutComments
    .split(/\n\s*\n/)
    .map((stanza) => {
      /** @type {AptSource} */
      const fields = {};
      for (const [, key, value] of stanza.matchAll(/^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)) {
        if (key !== undefined && value !== undefined) fields[canonical(key)] = value.trim();
      }
      return fields;
    })
    .filter(
      (fields) =>
        fields.URIs !== undefined && !/^(no|false|off|0|disable|without)$/i.test(fields.Enabled ?? ""),
    );
}

/**
 * @param {string} text
 * @returns {AptSource[]}
 */
function parseLines(text) {
  const sources = [];
  for (const line of text.split("\n")) {
    const match = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (!match) continue;
    const [, type = "", options = "", uri = "", suite = "", components = ""] = match;
    /** @type {AptSource} */
    const fields = { Types: type, URIs: uri, Suites: suite };
    if (components.trim()) fields.Components = components.trim();
    for (const option of options.trim().split(/\s+/).filter(Boolean)) {
      const [key = "", value = ""] = option.split("=");
      fields[canonical(key)] = value.replaceAll(",", " ");
    }
    sources.push(fields);
  }
  return sources;
}

/**
 * A field's name as `.sources` files spell it, from any case or from a `.list` option.
 *
 * @param {string} key
 */
function canonical(key) {
  const lower = key.toLowerCase();
  if (lower === "uris") return "URIs";
  if (lower === "arch") return "Architectures";
  return lower.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/**
 * The sources to install from a Debian release's backports: the release's own archives as this machine has them, and its
 * backports from the same server with the same key. Null when the machine has no entry for the release itself.
 *
 * @param {AptSource[]} sources all of the machine's
 * @param {string} codename such as "bookworm"
 * @returns {string | null} the text of a `.sources` file
 */
export function backportsSources(sources, codename) {
  const backports = `${codename}-backports`;
  const words = (/** @type {string | undefined} */ value) => (value ?? "").split(/\s+/);
  const own = sources.filter(
    (source) =>
      words(source.Types).includes("deb") &&
      words(source.Components).includes("main") &&
      words(source.Suites).some((suite) => suite === codename || suite.startsWith(`${codename}-`)),
  );
  const release = own.find((source) => words(source.Suites).includes(codename));
  if (release === undefined) return null;
  const others = own.map((source) => ({
    ...source,
    Suites: words(source.Suites)
      .filter((s) => s !== backports)
      .join(" "),
  }));
  return [
    ...others.filter((source) => source.Suites !== ""),
    { ...release, Suites: backports, Components: "main" },
  ]
    .map((source) => ({ ...source, Types: "deb" }))
    .map((source) =>
      Object.entries(source)
        .map(([key, value]) => `${key}: ${value}\n`)
        .join(""),
    )
    .join("\n");
}
