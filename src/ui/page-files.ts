import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** A file of the page, ready to be sent. */
export interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** A folder beside this file: `index.html` and `main.ts`, which is bundled with its style sheet. */
export type PageName = "page" | "demo";

const require = createRequire(import.meta.url);
const font = (weight: 400 | 600): Promise<Buffer> =>
  readFile(require.resolve(`@fontsource/inter/files/inter-latin-${weight}-normal.woff2`));
const pageSource = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

const bundled = new Map<PageName, Promise<ReadonlyMap<string, PageFile>>>();

/** A page's files by path, bundled once a process and held in memory. */
export function pageFiles(page: PageName): Promise<ReadonlyMap<string, PageFile>> {
  const files = bundled.get(page) ?? bundle(page);
  bundled.set(page, files);
  return files;
}

async function bundle(page: PageName): Promise<ReadonlyMap<string, PageFile>> {
  // Loaded only here: a run without a page does without it.
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [pageSource(`${page}/main.ts`)],
    bundle: true,
    write: false,
    minify: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    outdir: "/",
    // The page's fonts are routes of the server, not files to bundle.
    external: ["/fonts/*"],
    tsconfigRaw: {},
    logLevel: "silent",
  });
  const built = (extension: string): string =>
    result.outputFiles.find(({ path }) => path.endsWith(extension))!.text;
  const html = await readFile(pageSource(`${page}/index.html`), "utf8");
  return new Map<string, PageFile>([
    ["/", { type: "text/html; charset=utf-8", body: html }],
    ["/page.js", { type: "text/javascript; charset=utf-8", body: built(".js") }],
    ["/page.css", { type: "text/css; charset=utf-8", body: built(".css") }],
    ["/icon.svg", { type: "image/svg+xml", body: await readFile(pageSource("page/icon.svg"), "utf8") }],
    ["/fonts/inter-400.woff2", { type: "font/woff2", body: await font(400) }],
    ["/fonts/inter-600.woff2", { type: "font/woff2", body: await font(600) }],
  ]);
}
