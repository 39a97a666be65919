import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { FONT_WEIGHTS, readFont } from "../files/font.ts";
import type { PageName } from "./bundle-page.ts";

/** A file of the page, ready to be sent. */
export interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** A page's script and style sheet. */
interface Bundle {
  readonly script: string;
  readonly styles: string;
}

/** What `scripts/build-package.mjs` calls a page's bundle in the page's folder. */
export const BUNDLE = { script: "bundle.js", styles: "bundle.css" } as const;

const source = (file: string): URL => new URL(file, import.meta.url);
const loaded = new Map<PageName, Promise<ReadonlyMap<string, PageFile>>>();

/** A page's files by path, loaded once a process and held in memory: bundled now, or when the package was built. */
export function pageFiles(page: PageName): Promise<ReadonlyMap<string, PageFile>> {
  const files = loaded.get(page) ?? load(page);
  loaded.set(page, files);
  return files;
}

async function load(page: PageName): Promise<ReadonlyMap<string, PageFile>> {
  const { script, styles } = await bundleOf(page);
  const html = await readFile(source(`${page}/index.html`), "utf8");
  const icon = await readFile(source("page/icon.svg"), "utf8");
  const fonts = FONT_WEIGHTS.map(async (weight) => {
    const file: PageFile = { type: "font/woff2", body: await readFont(weight) };
    return [`/fonts/inter-${weight}.woff2`, file] as const;
  });
  return new Map<string, PageFile>([
    ["/", { type: "text/html; charset=utf-8", body: html }],
    ["/page.js", { type: "text/javascript; charset=utf-8", body: script }],
    ["/page.css", { type: "text/css; charset=utf-8", body: styles }],
    ["/icon.svg", { type: "image/svg+xml", body: icon }],
    ...(await Promise.all(fonts)),
  ]);
}

async function bundleOf(page: PageName): Promise<Bundle> {
  const [script, styles] = [BUNDLE.script, BUNDLE.styles].map((file) => source(`${page}/${file}`));
  if (!existsSync(script)) return (await import("./bundle-page.ts")).bundlePage(page);
  return { script: await readFile(script, "utf8"), styles: await readFile(styles, "utf8") };
}
