import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

/** A file of the page, ready to be sent. */
export interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

const require = createRequire(import.meta.url);
const font = (weight: 400 | 600): Promise<Buffer> =>
  readFile(require.resolve(`@fontsource/inter/files/inter-latin-${weight}-normal.woff2`));
const pageSource = (file: string): string => fileURLToPath(new URL(`page/${file}`, import.meta.url));

let bundled: Promise<ReadonlyMap<string, PageFile>> | null = null;

/** The page's files by path, bundled once a process and held in memory. */
export const pageFiles = (): Promise<ReadonlyMap<string, PageFile>> => (bundled ??= bundle());

async function bundle(): Promise<ReadonlyMap<string, PageFile>> {
  // Loaded only here: a run without a page does without it.
  const { build } = await import("esbuild");
  const result = await build({
    entryPoints: [pageSource("main.ts")],
    bundle: true,
    write: false,
    minify: true,
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
  return new Map<string, PageFile>([
    ["/", { type: "text/html; charset=utf-8", body: await readFile(pageSource("index.html"), "utf8") }],
    ["/page.js", { type: "text/javascript; charset=utf-8", body: built(".js") }],
    ["/page.css", { type: "text/css; charset=utf-8", body: built(".css") }],
    ["/icon.svg", { type: "image/svg+xml", body: await readFile(pageSource("icon.svg"), "utf8") }],
    ["/fonts/inter-400.woff2", { type: "font/woff2", body: await font(400) }],
    ["/fonts/inter-600.woff2", { type: "font/woff2", body: await font(600) }],
  ]);
}
