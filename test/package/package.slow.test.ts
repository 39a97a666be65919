import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { BuildResult } from "esbuild";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { isOffline } from "../../scripts/setup/npm.mjs";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { itLearnsInABrowser } from "./browser-example.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

/** A program of someone else's. */
const TEN_LINES = `import { adam, compile, gradients, Graph, zeros } from "bespoke";
import { dense, sparseSoftmaxCrossEntropy } from "bespoke/nn";
import { openGpu } from "bespoke/node";
const gpu = await openGpu();
const graph = new Graph();
const weights = graph.parameter("weights", [2, 2], zeros);
const logits = dense(graph.input("x", [4, 2]), weights, graph.parameter("bias", [2], zeros));
const loss = sparseSoftmaxCrossEntropy(logits, graph.input("y", [4], "u32"));
const step = await compile(gpu, { outputs: { loss }, updates: adam(gradients(loss), { learningRate: 0.1 }) });
const feeds = { x: Float32Array.of(0, 1, 0, 2, 1, 0, 2, 0), y: Uint32Array.of(0, 0, 1, 1) };
for (let i = 0; i < 20; i++) console.log((await step.run(feeds)).loss[0]);
gpu.destroy();
`;

describe("the package that npm pack makes", () => {
  const inFolder = temporaryFolder();
  const installed = (path: string): string => inFolder(`whole/node_modules/bespoke/${path}`);
  /** Why the package could not be installed here; null when it was. */
  let hindrance: string | null = null;
  let packed: string[];

  const run = (
    cwd: string,
    command: string,
    ...args: string[]
  ): Promise<{ code: number; stdout: string; stderr: string }> =>
    promisify(execFile)(command, args, {
      cwd: inFolder(cwd),
      env: { ...process.env, XDG_CACHE_HOME: inFolder("cache"), INIT_CWD: undefined },
      maxBuffer: 2 ** 26,
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  const bespoke = (cwd: string, ...args: string[]): ReturnType<typeof run> =>
    run(cwd, process.execPath, "node_modules/bespoke/dist/scripts/bespoke.mjs", ...args);

  beforeAll(async () => {
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    const npm = async (cwd: string, ...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(cwd, "npm", ...args);
      if (code === 0) return stdout;
      if (!isOffline({ code, signal: null, stdout, stderr, failure: null })) throw new Error(stderr);
      hindrance = "npm cannot reach its registry, and has not all it needs in its cache";
      return "";
    };
    for (const name of ["whole", "engine"]) {
      await mkdir(inFolder(name));
      await writeFile(inFolder(`${name}/package.json`), '{ "type": "module" }');
    }
    // `prepack` builds it: what is tested is what would be published.
    const said = await npm("", "pack", ROOT, "--json", "--pack-destination", inFolder(""));
    const [{ filename, files, size, unpackedSize }] = JSON.parse(said.slice(said.indexOf("["))) as [
      { filename: string; files: { path: string }[]; size: number; unpackedSize: number },
    ];
    packed = files.map(({ path }) => path);
    console.log(`${filename}: ${Math.round(size / 1000)} kB, unpacked ${Math.round(unpackedSize / 1000)} kB`);
    await npm("whole", "install", ...options, inFolder(filename));
    await npm("engine", "install", ...options, "--omit=optional", inFolder(filename));
  }, 900_000);
  beforeEach((context) => {
    if (hindrance !== null) context.skip(hindrance);
  });

  it("holds what is needed, and no tests", () => {
    for (const name of ["index", "nn", "layers", "networks", "node", "training"])
      for (const ending of ["js", "d.ts", "js.map"]) expect(packed).toContain(`dist/src/${name}.${ending}`);
    expect(packed).toEqual(
      expect.arrayContaining(["LICENSE", "README.md", "CHANGELOG.md", "dist/LICENSES.txt"]),
    );
    const known =
      /^dist\/(src|scripts)\/.*\.(js|mjs|d\.ts|d\.mts|map|html|css|svg|woff2)$|^docs\/[\w-]+\.md$/;
    const others = packed.filter((path) => !known.test(path) && path !== "dist/LICENSES.txt");
    expect(others.sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
    expect(
      packed.filter((path) =>
        /(^|\/)(test|bench|examples|node_modules)\/|docs(-augmentation)?\.js/.test(path),
      ),
    ).toEqual([]);
  });

  it("has every file that a module names by URL", async () => {
    const missing: string[] = [];
    let named = 0;
    for (const path of packed.filter((name) => /\.m?js$/.test(name))) {
      const text = await readFile(installed(path), "utf8");
      for (const [, file] of text.matchAll(/new URL\("(\.[^"]*[^"/])", import\.meta\.url\)/g)) {
        named += 1;
        if (!existsSync(resolve(dirname(installed(path)), file))) missing.push(`${path}: ${file}`);
      }
    }
    expect(missing).toEqual([]);
    expect(named).toBeGreaterThanOrEqual(6);
  });

  it("has the sources in its source maps", async () => {
    const map = JSON.parse(await readFile(installed("dist/src/index.js.map"), "utf8")) as {
      sourcesContent: string[];
    };
    expect(map.sourcesContent[0]).toBe(await readFile(join(ROOT, "src/index.ts"), "utf8"));
  });

  it("imports nothing of Node's from its engine", async () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const walk = async (file: string): Promise<void> => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = await readFile(file, "utf8");
      for (const [, name] of text.matchAll(/^(?:(?:import|export)\s[^"'`;=(]*?from|import) "([^"]+)";$/gm))
        if (name.startsWith(".")) await walk(resolve(dirname(file), name));
        else packages.add(name);
      expect(text).not.toMatch(/\bimport\(/);
    };
    for (const name of ["index", "nn", "layers", "networks"]) await walk(installed(`dist/src/${name}.js`));
    expect(seen.size).toBeGreaterThan(200);
    expect([...packages]).toEqual(["pure-rand/generator/xoroshiro128plus"]);
  });

  it("leaves out of a bundle what is not used, and refuses Node's part in a browser", async () => {
    const bundle = (contents: string): Promise<BuildResult<{ write: false }>> =>
      build({
        stdin: { contents, resolveDir: inFolder("whole") },
        bundle: true,
        write: false,
        minify: true,
        platform: "browser",
        format: "esm",
        logLevel: "silent",
      });
    const bytes = async (names: string): Promise<number> =>
      (await bundle(`import ${names} from "bespoke"; console.log(bespoke);`)).outputFiles[0].contents.length;
    const [all, one] = [await bytes("* as bespoke"), await bytes("{ Graph as bespoke }")];
    expect(all).toBeGreaterThan(100_000);
    expect(one).toBeLessThan(all / 10);
    await expect(bundle('import "bespoke/node";')).rejects.toThrow(/"\.\/node" is not|"bespoke\/node"/);
  });

  it("trains from ten lines of TypeScript that its types are enough for", async () => {
    const compilerOptions = {
      target: "ES2022",
      module: "NodeNext",
      strict: true,
      skipLibCheck: false,
      types: ["node"],
    };
    await writeFile(inFolder("whole/tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
    // Were everything `any`, the line that must not compile would.
    const wrong =
      '// @ts-expect-error\nexport const wrong = (): unknown => graph.input("z", "not a shape");\n';
    await writeFile(inFolder("whole/main.ts"), `${TEN_LINES}${wrong}`);
    for (const name of ["@types/node", "undici-types"])
      await cp(join(ROOT, "node_modules", name), inFolder(`whole/node_modules/${name}`), { recursive: true });
    const compiled = await run("whole", process.execPath, TSC, "-p", ".");
    expect([compiled.stdout, compiled.code]).toEqual(["", 0]);
    const { code, stdout } = await run("whole", process.execPath, "main.js");
    const losses = stdout.trim().split("\n").map(Number);
    expect([code, losses.length]).toEqual([0, 20]);
    expect(losses[0]).toBeCloseTo(Math.LN2, 5);
    expect(losses[19]).toBeLessThan(losses[0] / 3);
  });

  it("says its version and finds an adapter that computes", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await run("whole", "npx", "bespoke", "--version")).toMatchObject({
      code: 0,
      stdout: `${version}\n`,
    });
    const doctor = await bespoke("whole", "doctor");
    expect([doctor.code, doctor.stdout]).toEqual([0, expect.stringMatching(/^Self-test +passed/m)]);
  });

  it("has the programs of a queue, with what they take", async () => {
    vi.stubEnv("BESPOKE_REDIS", "redis://127.0.0.1:1");
    const { code, stderr } = await bespoke("whole", "queue", "status");
    vi.unstubAllEnvs();
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Nothing answers as Redis at 127\.0\.0\.1:1 /),
    ]);
    const verified = await bespoke("whole", "queue", "verify", "nowhere");
    expect([verified.code, verified.stderr]).toEqual([
      1,
      expect.stringContaining("no shards were begun there"),
    ]);
  });

  it("trains in a folder that has no photos, and shows the run", async () => {
    const tiny = [
      "--image-size",
      "32",
      "--batch-size",
      "2",
      "--validation-photos",
      "4",
      "--epochs-frozen",
      "1",
    ];
    const { code, stderr } = await bespoke(
      "whole",
      "train",
      ...tiny,
      "--epochs-finetune",
      "0",
      "--steps-per-epoch",
      "1",
    );
    expect([code, stderr.replace(/^Warning: .*\n/gm, "")]).toEqual([0, ""]);
    const runFolder = inFolder("whole/runs/train-1");
    expect(await readdir(runFolder)).toEqual(
      expect.arrayContaining(["checkpoints", "figures", "summary.json"]),
    );
    // Nor is the commit of somebody else's repository taken for ours.
    expect(JSON.parse(await readFile(join(runFolder, "environment.json"), "utf8"))).toMatchObject({
      commit: null,
    });

    const entry = "node_modules/bespoke/dist/scripts/bespoke.mjs";
    const page = spawn(process.execPath, [entry, "ui", "train-1", "--port", "0"], { cwd: inFolder("whole") });
    try {
      const [said] = (await once(page.stdout, "data")) as [Buffer];
      const url = /http:\S+/.exec(said.toString())![0];
      for (const path of ["", "page.js", "page.css", "icon.svg", "fonts/inter-400.woff2"]) {
        const response = await fetch(new URL(path, url));
        expect([path, response.status]).toEqual([path, 200]);
        expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(100);
      }
    } finally {
      page.kill("SIGTERM");
      await once(page, "exit");
    }
  });

  itLearnsInABrowser(() => inFolder("engine"));

  it("is the engine alone without the optional modules, and says which ones a program needs", async () => {
    const modules = (await readdir(inFolder("engine/node_modules"))).filter((name) => !name.startsWith("."));
    expect(modules.sort()).toEqual(["@webgpu", "bespoke", "pure-rand"]);
    const imported = await run(
      "engine",
      process.execPath,
      "-e",
      'import("bespoke").then(({ Graph }) => new Graph())',
    );
    expect([imported.code, imported.stderr]).toEqual([0, ""]);
    for (const [program, module] of [
      ["doctor", "webgpu"],
      ["convert", "commander"],
    ]) {
      const { code, stderr } = await bespoke("engine", program);
      expect([code, stderr.trim()]).toEqual([
        1,
        expect.stringMatching(new RegExp(`^bespoke: .*\`npm install ${module}@[^\\n]*$`)),
      ]);
    }
  });
});
