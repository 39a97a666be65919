import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { BuildResult, StdinOptions } from "esbuild";
import { describe, expect, it } from "vitest";

/** Bundled for browsers, where nothing of Node's exists: an import of it fails here. */
const bundle = (entry: string | StdinOptions): Promise<BuildResult<{ write: false; metafile: true }>> =>
  build({
    ...(typeof entry === "string" ? { entryPoints: [entry] } : { stdin: entry }),
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    outdir: "/",
    external: ["/fonts/*"],
    tsconfigRaw: {},
    logLevel: "silent",
  });

/** Of the bundle's files those that match none of the patterns: folders of `src`, or the one package the engine has. */
const besides = ({ metafile }: { metafile: { inputs: object } }, known: RegExp): string[] =>
  Object.keys(metafile.inputs).filter(
    (file) => !known.test(file) && !file.startsWith("node_modules/pure-rand/"),
  );

describe("what runs in a browser", () => {
  it.each([
    ["bespoke", "index", 60_000],
    ["bespoke/nn", "nn", 80_000],
    ["bespoke/layers", "layers", 80_000],
    ["bespoke/networks", "networks", 80_000],
  ])("%s is a few ten kilobytes, of the engine's own folders", async (name, file, limit) => {
    const result = await bundle(`src/${file}.ts`);
    const bytes = gzipSync(result.outputFiles[0].contents, { level: 9 }).length;
    console.log(`${name}, minified: ${result.outputFiles[0].contents.length} bytes, ${bytes} gzipped`);
    expect(bytes).toBeLessThan(limit);
    expect(
      besides(
        result,
        /^src\/((gpu|kernels|graph|layers)\/|(index|nn|layers|networks|half-floats|text-table)\.ts$)/,
      ),
    ).toEqual([]);
  });

  it("is a page that takes no other package and nothing of Node's along", async () => {
    const result = await bundle("src/ui/demo/main.ts");
    const script = result.outputFiles.find(({ path }) => path.endsWith(".js"))!;
    const bytes = gzipSync(script.contents, { level: 9 }).length;
    console.log(`The page with the engine, minified: ${script.contents.length} bytes, ${bytes} gzipped`);
    expect(bytes).toBeLessThan(115_000);
    expect(besides(result, /^src\//)).toEqual([]);
    const imported = Object.values(result.metafile.inputs).flatMap(({ imports }) => imports);
    expect(imported.filter(({ external, path }) => external && !path.startsWith("/fonts/"))).toEqual([]);
    expect(script.text.match(/\b(process|Buffer|__dirname)\.\w+|["']node:\w+/g)).toBeNull();
  });

  it("carries the rules for convolutions and norms only where there are any", async () => {
    const rules = async (text: string): Promise<string[]> => {
      const result = await bundle({ contents: text, resolveDir: "src", loader: "ts" });
      const [{ inputs }] = Object.values(result.metafile.outputs);
      return Object.entries(inputs).flatMap(([file, { bytesInOutput }]) =>
        bytesInOutput > 0 && /(fuse\/(products|norm)|kernels\/.*norm)/.test(file) ? [file] : [],
      );
    };
    const graph = 'export { Graph, compile, gradients, adam, add, relu, sum } from "./index.ts";';
    expect(await rules(graph)).toEqual([]);
    expect((await rules(`${graph} export { conv2d } from "./nn.ts";`)).length).toBeGreaterThan(3);
  });

  it("cannot take anything of Node's along unseen", async () => {
    await expect(bundle("src/ui/http-server.ts")).rejects.toThrow(/node:http/);
  });
});
