// A plugin of TypeDoc for `npm run docs:api`: entries have the names by which they are imported, their `@file` comments are
// what they are about, and settings have the documentation that flags and docs/configuration.md have.
import { readFileSync } from "node:fs";
import { Comment, Converter, ReflectionKind } from "typedoc";
import { descriptions, schema } from "../src/config/index.ts";

/**
 * @typedef {{ name: string, exports: Record<string, string | { types: string }> }} Manifest
 * @type {Manifest}
 */
const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** The entries of package.json: by their sources, the names that they are imported by. */
export const entries = new Map(
  Object.entries(manifest.exports).flatMap(([path, files]) =>
    typeof files === "string"
      ? []
      : [[files.types.replace("./dist/", "").replace(/\.d\.ts$/, ".ts"), path.replace(".", manifest.name)]],
  ),
);

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const source = module.sources[0].fullFileName;
      module.name = [...entries].find(([entry]) => source.endsWith(`/${entry}`))[1];
      const [, about] = /^\/\*\*[\s*]*@file ([^]*?)\s*\*\//.exec(readFileSync(source, "utf8"));
      module.comment = new Comment([{ kind: "text", text: about.replace(/^ \* ?/gm, "") }]);
    }
    // TypeScript takes the comment of a file for that of its first export too.
    for (const reflection of Object.values(project.reflections)) {
      const { comment } = reflection;
      if (!comment?.getTag("@file")) continue;
      comment.removeTags("@file");
      if (!comment.hasVisibleComponent()) delete reflection.comment;
    }
    // Options that are taken apart where they are declared have no name of their own.
    for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter))
      if (parameter.name === "__namedParameters") parameter.name = "options";
    const settings = project
      .getReflectionsByKind(ReflectionKind.Interface)
      .find(({ name }) => name === "TrainConfig");
    for (const setting of settings.children) {
      const { flag, value, summary } = descriptions.get(schema.shape[setting.name]);
      const text = `${summary} (\`${value ? `${flag} ${value}` : flag}\`).`;
      setting.comment ??= new Comment([{ kind: "text", text }]);
    }
  });
}
