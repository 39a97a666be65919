// `node --import tsx scripts/build-package.mjs [folder]`
//
// The second half of `npm run build`: puts beside what tsc has compiled into the folder, `dist` by default, what is read at
// run time and is no module: the browser's pages, bundled, and fonts. And the licences of what is in there of others.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FONT_WEIGHTS, fontFile } from "../src/files/font.ts";
import { bundlePage } from "../src/ui/bundle-page.ts";
import { BUNDLE } from "../src/ui/page-files.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = process.argv[2] ?? join(root, "dist");
const module = (/** @type {string} */ path) => join(root, "node_modules", path);

/** @param {string} from @param {string} to */
async function copy(from, to) {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

const contained = new Set(["@fontsource/inter"]);
for (const page of /** @type {const} */ (["page", "demo"])) {
  const place = join("src/ui", page);
  const { script, styles, packages } = await bundlePage(page);
  await copy(join(root, place, "index.html"), join(folder, place, "index.html"));
  await writeFile(join(folder, place, BUNDLE.script), script);
  await writeFile(join(folder, place, BUNDLE.styles), styles);
  for (const name of packages) contained.add(name);
}
await copy(join(root, "src/ui/page/icon.svg"), join(folder, "src/ui/page/icon.svg"));
for (const weight of FONT_WEIGHTS) {
  const name = fontFile(weight);
  await copy(module(`@fontsource/inter/files/${name}`), join(folder, "src/files/fonts", name));
}

const licences = [...contained].sort().map(async (name) => {
  const { version } = JSON.parse(await readFile(module(`${name}/package.json`), "utf8"));
  return `${name} ${version}\n\n${(await readFile(module(`${name}/LICENSE`), "utf8")).trim()}\n`;
});
await writeFile(join(folder, "LICENSES.txt"), (await Promise.all(licences)).join(`\n${"-".repeat(80)}\n\n`));
