import { fileURLToPath } from "node:url";

/** A folder beside this file: `index.html` and `main.ts`, which is bundled with its style sheet. */
export type PageName = "page" | "demo";

/** What a page's script and style sheet are bundled to, and the packages that are in there. */
export interface BundledPage {
  readonly script: string;
  readonly styles: string;
  readonly packages: readonly string[];
}

/** Bundles a page of this folder from its sources: `main.ts` with its style sheet. */
export async function bundlePage(page: PageName): Promise<BundledPage> {
  // Loaded only here: the installed package has its pages bundled.
  const { build } = await import("esbuild");
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL(`${page}/main.ts`, import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
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
  const built = (extension: string): string => outputFiles.find(({ path }) => path.endsWith(extension))!.text;
  const packages = Object.keys(metafile.inputs).flatMap(
    (file) => /(?:^|.*\/)node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
  );
  return { script: built(".js"), styles: built(".css"), packages: [...new Set(packages)] };
}
