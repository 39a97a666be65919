import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { measurements } from "../../../bench/gpu/parts.ts";
import { runParts } from "../../../bench/gpu/run-parts.ts";

let out: string;
beforeEach(() => (out = mkdtempSync(join(tmpdir(), "bespoke-sitting-"))));
afterEach(() => rmSync(out, { recursive: true }));

const node = (code: string): string[] => [process.execPath, "-e", code];
const said: string[] = [];

it("ends each part in its time and all in theirs, and keeps what each said", async () => {
  const parts = [
    {
      name: "quick",
      limit: 30,
      command: node("console.log(process.env.WHAT)"),
      env: { WHAT: "all is well" },
    },
    { name: "failing", limit: 30, command: node("process.exit(3)") },
    { name: "missing", limit: 30, command: ["no-such-program-here"] },
    // With a child that would go on by itself.
    {
      name: "hanging",
      limit: 0.5,
      command: node(
        `require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e3)"], { stdio: "inherit" }); setInterval(() => {}, 1e3)`,
      ),
    },
  ];
  const outcomes = await runParts(parts, { out, file: "first.json", total: 60 }, (line) => said.push(line));
  expect(outcomes.map(({ name, end }) => [name, end])).toEqual([
    ["quick", 0],
    ["failing", 3],
    ["missing", expect.stringMatching(/ENOENT/)],
    ["hanging", "ended"],
  ]);
  const late = await runParts(parts, { out, file: "late.json", total: 1 }, () => undefined);
  expect(late.map(({ end }) => end)).toEqual(parts.map(() => "no time"));
  expect(readFileSync(join(out, "quick.log"), "utf8")).toBe("all is well\n");
  expect(JSON.parse(readFileSync(join(out, "first.json"), "utf8"))).toEqual(outcomes);
  expect(said).toHaveLength(4);
});

it("measures our steps before anything else, each into a file of its own", () => {
  const options = { out: "out", size: 128, batch: 64, steps: 30, rehearsal: false };
  const parts = measurements(options);
  const names = parts.map(({ name }) => name);
  expect(names.slice(0, 3)).toEqual(["doctor", "step-finetune-f32", "step-finetune-f16"]);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, command } of parts) {
    const json = command[command.indexOf("--json") + 1];
    if (/^(step|pytorch|kernels)/.test(name)) expect(json).toBe(`out/${name}.json`);
  }
  expect(measurements({ ...options, rehearsal: true }).some(({ name }) => name.startsWith("pytorch"))).toBe(
    false,
  );
});
