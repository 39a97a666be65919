// `node scripts/build-package.mjs [folder]`
//
// The second half of `npm run build`: makes the folder that tsc has filled, `dist` by default, a package of its own, with
// an `exports` that names JavaScript and declarations where that of the checkout names TypeScript.
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = process.argv[2] ?? join(root, "dist");
const { name, version, description, license, type, engines, exports, dependencies } = JSON.parse(
  await readFile(join(root, "package.json"), "utf8"),
);

const built = (source) => ({
  types: source.replace(/\.ts$/, ".d.ts"),
  default: source.replace(/\.ts$/, ".js"),
});
const entries = Object.entries(exports).map(([entry, source]) => [
  entry,
  source.endsWith(".ts") ? built(source) : source,
]);
const manifest = {
  name,
  version,
  description,
  license,
  type,
  engines,
  exports: Object.fromEntries(entries),
  dependencies,
};
await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await copyFile(join(root, "LICENSE"), join(folder, "LICENSE"));
