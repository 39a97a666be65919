/** @file What a program for browsers weighs: bundled and minified by esbuild, with what it uses of the package and nothing else. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { BuildResult } from "esbuild";

export type Bundle = BuildResult<{ write: false; metafile: true }>;

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The entries that run in a browser, by name, and their files. */
export const ENTRIES = {
  bespoke: "src/index.ts",
  "bespoke/nn": "src/nn.ts",
  "bespoke/layers": "src/layers.ts",
  "bespoke/networks": "src/networks.ts",
} as const;

/** Small programs, by file name. */
export const PROGRAMS = {
  add: "a sum: `Graph`, `compile` and `add`",
  regression: "a dense layer, mean squared error, Adam",
  cnn: "convolutions, pooling, a dense layer, cross-entropy, Adam",
  "cnn-batch-norm": "the same with batch norms",
  segmentation: "the U-Net on any of its encoders, labelling a photo",
} as const;

/** For browsers, where nothing of Node's exists: an import of it fails. `from` is a file of the repository, or text. */
export const bundle = (from: { readonly file: string } | { readonly text: string }): Promise<Bundle> =>
  build({
    ...("file" in from
      ? { entryPoints: [from.file] }
      : { stdin: { contents: from.text, resolveDir: ROOT, loader: "ts" } }),
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    outdir: "/",
    // The page's fonts are routes of its server.
    external: ["/fonts/*"],
    alias: Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, `./${file}`])),
    tsconfigRaw: {},
    logLevel: "silent",
  });

export interface Size {
  readonly minified: number;
  readonly gzipped: number;
}

/** Bytes of a bundle's script. */
export function sizeOf({ outputFiles }: Bundle): Size {
  const { contents } = outputFiles.find(({ path }) => path.endsWith(".js"))!;
  return { minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}

/** The file of one of {@link PROGRAMS}. */
export const programFile = (name: keyof typeof PROGRAMS): string => `bench/size/programs/${name}.ts`;
