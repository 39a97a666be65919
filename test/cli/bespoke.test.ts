import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ADAPTER_NEEDS } from "../../scripts/setup/adapter-needs.mjs";
import { bespoke } from "../../src/cli/bespoke.ts";
import { PROGRAMS } from "../../src/cli/programs.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  version: string;
  scripts: Record<string, string>;
};

describe("bespoke", () => {
  let said: { output: string; errors: string };
  const argv = process.argv;
  beforeEach(() => {
    said = { output: "", errors: "" };
    process.argv = [...argv];
    process.exitCode = undefined;
    vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean((said.output += String(text))));
    vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean((said.errors += String(text))));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.argv = argv;
    process.exitCode = undefined;
  });

  it.each([[], ["help"], ["--help"], ["-h"]])("lists all programs in groups (%s)", async (...args) => {
    await bespoke(args);
    expect(said.output).toMatch(/^Training:\n {2}train +Trains/m);
    for (const name of [...PROGRAMS.keys(), "completion", "help"])
      expect(said.output).toMatch(new RegExp(`^ {2}${name} +[A-Z]`, "m"));
    expect([process.exitCode, said.errors]).toEqual([undefined, ""]);
  });

  it.each(["--version", "-V"])("says its version (%s)", async (flag) => {
    await bespoke([flag]);
    expect(said.output).toBe(`${manifest.version}\n`);
  });

  it("says how one program is used", async () => {
    await bespoke(["help", "train"]);
    expect(said.output).toMatch(/^Usage: bespoke train \[options\]/);
    expect(said.output).toContain("--batch-size");
  });

  it.each([["trian"], ["help", "trian"]])(
    "answers a program that there is not in a sentence (%s)",
    async (...args) => {
      await bespoke(args);
      expect(said.errors).toBe(
        'bespoke: there is no program "trian": did you mean train? `bespoke --help` lists them.\n',
      );
      expect([process.exitCode, said.output]).toEqual([1, ""]);
      said.errors = "";
      await bespoke(["xyzzy"]);
      expect(said.errors).toBe('bespoke: there is no program "xyzzy": `bespoke --help` lists them.\n');
    },
  );

  it("prints a shell's completion", async () => {
    await bespoke(["completion", "fish"]);
    expect(said.output).toContain("complete -c bespoke -n __fish_use_subcommand -a doctor");
  });
});

describe("the programs", () => {
  it("need an adapter where `npm run` says that they do", () => {
    const needs = [...PROGRAMS.keys()].map((name) => {
      const [, option = "needed"] =
        /launch\.mjs(?: --adapter=(\w+))? src\/cli\//.exec(manifest.scripts[name]) ?? [];
      expect(manifest.scripts[name]).toContain(` src/cli/${name}.ts`);
      return [name, option];
    });
    expect(Object.fromEntries(needs)).toEqual(ADAPTER_NEEDS);
  });
});
