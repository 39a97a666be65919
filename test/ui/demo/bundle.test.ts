import { describe, expect, it } from "vitest";
import { bundle, ENTRIES, programFile, sizeOf } from "../../../bench/size/bundle.ts";
import type { Bundle, PROGRAMS } from "../../../bench/size/bundle.ts";

/** Of the bundle's files those that match none of the patterns: folders of `src`, or the one package the engine has. */
const besides = ({ metafile }: Bundle, known: RegExp): string[] =>
  Object.keys(metafile.inputs).filter(
    (file) => !known.test(file) && !file.startsWith("node_modules/pure-rand/"),
  );

const ENGINE =
  /^src\/((gpu|kernels|graph|layers)\/|(index|nn|layers|networks|half-floats|text-table)\.ts$)|^bench\/size\/programs\/|^<stdin>$/;

/** What a bundle weighs gzipped; says so. */
function gzipped(what: string, of: Bundle): number {
  const { minified, gzipped } = sizeOf(of);
  console.log(`${what}: ${minified} bytes minified, ${gzipped} gzipped`);
  return gzipped;
}

describe("what runs in a browser", () => {
  it.each<[keyof typeof ENTRIES, number]>([
    ["bespoke", 60_000],
    ["bespoke/nn", 85_000],
    ["bespoke/layers", 85_000],
    ["bespoke/networks", 80_000],
  ])("all of %s is of the engine's own folders, and weighs at most %d bytes gzipped", async (name, limit) => {
    const result = await bundle({ file: ENTRIES[name] });
    expect(gzipped(name, result)).toBeLessThan(limit);
    expect(besides(result, ENGINE)).toEqual([]);
  });

  it.each<[keyof typeof PROGRAMS, number]>([
    ["add", 24_000],
    ["regression", 45_000],
    ["cnn", 65_000],
    ["cnn-batch-norm", 82_000],
    ["segmentation", 93_000],
  ])("the program %s weighs at most %d bytes gzipped", async (name, limit) => {
    const result = await bundle({ file: programFile(name) });
    expect(gzipped(name, result)).toBeLessThan(limit);
    expect(besides(result, ENGINE)).toEqual([]);
  });

  it("is a page that takes no other package and nothing of Node's along", async () => {
    const result = await bundle({ file: "src/ui/demo/main.ts" });
    expect(gzipped("the page with the engine", result)).toBeLessThan(120_000);
    expect(besides(result, /^src\//)).toEqual([]);
    const imported = Object.values(result.metafile.inputs).flatMap(({ imports }) => imports);
    expect(imported.filter(({ external, path }) => external && !path.startsWith("/fonts/"))).toEqual([]);
    const script = result.outputFiles.find(({ path }) => path.endsWith(".js"))!;
    expect(script.text.match(/\b(process|Buffer|__dirname)\.\w+|["']node:\w+/g)).toBeNull();
  });

  it("carries the rules for convolutions, and for norms, only where there are any", async () => {
    const rules = async (more: string): Promise<{ products: number; norms: number }> => {
      const text = `export { Graph, compile, gradients, adam, add, matmul, relu, sum } from "bespoke"; ${more}`;
      const [{ inputs }] = Object.values((await bundle({ text })).metafile.outputs);
      const carried = Object.entries(inputs).flatMap(([file, { bytesInOutput }]) =>
        bytesInOutput > 0 ? [file] : [],
      );
      const among = (pattern: RegExp): number => carried.filter((file) => pattern.test(file)).length;
      return { products: among(/fuse\/product/), norms: among(/fuse\/(norm|families|layout)|kernels\/norm/) };
    };
    expect(await rules("")).toEqual({ products: 0, norms: 0 });
    expect(await rules('export { conv2d } from "bespoke/nn";')).toEqual({ products: 2, norms: 0 });
    const normed = await rules('export { batchNormalization } from "bespoke/layers";');
    expect(normed.products).toBeGreaterThan(2);
    expect(normed.norms).toBeGreaterThan(5);
  });

  it("cannot take anything of Node's along unseen", async () => {
    await expect(bundle({ file: "src/ui/http-server.ts" })).rejects.toThrow(/node:http/);
  });
});
