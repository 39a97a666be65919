import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parsePart } from "../../src/bulk/part.ts";
import { predictCommand } from "../../src/cli/definitions/predict.ts";
import type { PredictFlags } from "../../src/cli/definitions/predict.ts";
import { verifyCommand } from "../../src/cli/definitions/verify.ts";

interface IndexedJob {
  readonly spec: {
    readonly completionMode: string;
    readonly completions: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly volumeMounts: readonly { readonly name: string }[];
        }[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

const page = readFileSync("docs/bulk.md", "utf8");
const job = parse(/^```yaml\n([^]*?)^```$/m.exec(page)![1]) as IndexedJob;
const script = /^```sh\n(#!\/bin\/bash\n[^]*?)^```$/m.exec(page)![1];

/** What a command line comes to; fails where it is none. */
const parsed = (args: readonly string[]): PredictFlags =>
  predictCommand().exitOverride().parse(args, { from: "user" }).opts<PredictFlags>();

describe("the page about many photos", () => {
  it("has a Job whose parts are as many as it has indices", () => {
    const { completionMode, completions, template } = job.spec;
    expect(completionMode).toBe("Indexed");
    const [{ args, volumeMounts }] = template.spec.containers;
    expect(args[0]).toBe("predict");
    const flags = parsed(args.slice(1));
    expect(flags).toMatchObject({ list: "/photos/photos.txt", out: "/labels/out" });
    for (const [index, part] of [
      [0, 1],
      [completions - 1, completions],
    ])
      expect(parsePart(flags.shard!, { JOB_COMPLETION_INDEX: String(index) })).toEqual({
        part,
        of: completions,
      });
    const names = template.spec.volumes.map(({ name }) => name);
    expect(volumeMounts.filter(({ name }) => !names.includes(name))).toEqual([]);
  });

  it("has a Slurm array of as many tasks as there are parts", () => {
    const [, first, last] = /--array=(\d+)-(\d+)/.exec(script)!;
    const [, line] = /^exec npx bespoke predict (.*)$/m.exec(script)!;
    const { shard } = parsed(line.split(" "));
    for (const id of [first, last])
      expect(parsePart(shard!, { SLURM_ARRAY_TASK_ID: id })).toEqual({ part: Number(id), of: Number(last) });
  });

  it("has command lines that are those of the programs", () => {
    const lines = page
      .match(/^bespoke predict .*$/gm)!
      .map((line) => line.replace(/ +#.*/, "").split(" ").slice(2));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) parsed(line);
    expect(verifyCommand().exitOverride().parse(["labels", "--quick"], { from: "user" }).opts()).toEqual({
      quick: true,
    });
  });
});
