import { entries } from "./scripts/api-docs.mjs";

export default {
  entryPoints: [...entries.keys()],
  tsconfig: "tsconfig.build.json",
  // `npm run typecheck` has seen to that.
  skipErrorChecking: true,
  plugin: ["typedoc-plugin-markdown", "./scripts/api-docs.mjs"],
  out: "docs/api",
  readme: "none",
  githubPages: false,
  excludePrivate: true,
  excludeExternals: true,
  blockTags: ["@file", "@param", "@returns", "@throws", "@template", "@typedef"],
  hideBreadcrumbs: true,
  // What is not exported is named in signatures by its name alone.
  validation: { notDocumented: true, notExported: false, invalidLink: true },
  treatValidationWarningsAsErrors: true,
  // What tells the operations of a union apart: Keras's name of each.
  intentionallyNotDocumented: ["bespoke/networks.LayerOperation.__type.kind"],
};
