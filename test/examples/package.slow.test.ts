import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../files/temporary-folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const run = promisify(execFile);
const node = (cwd: string, ...args: string[]): Promise<{ stdout: string }> =>
  run(process.execPath, args, { cwd });

/** A program of someone else's. */
const program = /* ts */ `
import { compile, Graph, relu } from "bespoke";
import { loadWeights, openGpu } from "bespoke/node";
import { TfEventsWriter } from "bespoke/train";

const gpu = await openGpu();
const graph = new Graph();
const program = await compile(gpu, { outputs: { y: relu(graph.input("x", [3])) } });
const { y } = await program.run({ x: Float32Array.of(-1, 0, 2) });
console.log([...y].join());
gpu.destroy();
await loadWeights("broken.h5").catch((error) => console.log(error.name));
console.log(typeof TfEventsWriter.create);
`;

describe("the package that npm run build makes", () => {
  const inFolder = temporaryFolder();

  beforeAll(async () => {
    const built = inFolder("node_modules/bespoke");
    await mkdir(inFolder("node_modules"));
    await node(ROOT, TSC, "-p", "tsconfig.build.json", "--outDir", built);
    await node(ROOT, "scripts/build-package.mjs", built);
    // In place of `npm install`: what the package depends on.
    await symlink(join(ROOT, "node_modules"), join(built, "node_modules"), "junction");
    await writeFile(inFolder("package.json"), '{ "type": "module" }');
    await writeFile(inFolder("broken.h5"), Buffer.from("894844460d0a1a0a00000000", "hex"));
  }, 300_000);

  it("runs on plain Node, without a TypeScript loader", async () => {
    await writeFile(inFolder("main.mjs"), program);
    const { stdout } = await node(inFolder(""), "main.mjs");
    expect(stdout.trim().split("\n")).toEqual(["0,0,2", "WeightsError", "function"]);
  });

  it("has types, also for those who check the declarations they use", async () => {
    const compilerOptions = {
      target: "ES2022",
      module: "NodeNext",
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ["node", "@webgpu/types"],
      typeRoots: [join(ROOT, "node_modules/@types"), join(ROOT, "node_modules")],
    };
    await writeFile(inFolder("tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
    // Were everything `any`, the line that must not compile would.
    const wrong = '// @ts-expect-error\ngraph.input("z", "not a shape");';
    await writeFile(inFolder("main.ts"), `${program}\n${wrong}`);
    await node(inFolder(""), TSC, "-p", ".").catch((error: { stdout: string }) => expect.fail(error.stdout));
  });
});
