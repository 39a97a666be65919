import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { trainCommand } from "../../src/cli/definitions/train.ts";

const page = readFileSync(new URL("../../docs/scale.md", import.meta.url), "utf8");
const block = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "m").exec(page)![1];

interface PodTemplate {
  readonly spec: {
    readonly containers: readonly {
      readonly args?: readonly string[];
      readonly resources?: { readonly limits: Readonly<Record<string, number>> };
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
    readonly volumes: readonly { readonly name: string }[];
  };
}

/** What a script gives to `train`, word by word. */
function trainFlags(script: string): string[] {
  return [...script.matchAll(/arguments=\((.*)\)/g)].flatMap(([, words]) => words.match(/--[\w-]+/g) ?? []);
}

/** Bash's own view of a script: syntax, and with a stand-in for the cluster's programs what it would run. */
function dryRun(script: string, runs: string): string {
  const stand = `srun() { echo srun "$@"; }; mpiexec() { echo mpiexec "$@"; }; SLURM_SUBMIT_DIR=${runs}; HOME=/home; SLURM_JOB_ID=1;`;
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["-c", `${stand}\n${script.replace(/^exec /gm, "")}`],
    {
      encoding: "utf8",
    },
  );
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.trim();
}

describe.skipIf(process.platform === "win32")("the page about ranks", () => {
  const known = trainCommand().options.map(({ long }) => long);

  test("has a Slurm script that begins a run, with flags that there are", () => {
    const script = block("sh");
    const ranks = (name: string): number =>
      Number(new RegExp(`^#SBATCH --${name}=(\\d+)$`, "m").exec(script)![1]);
    expect(dryRun(script, "/")).toBe(
      "srun --mpi=pmi2 --kill-on-bad-exit=1 node_modules/.bin/bespoke train --data photos --batch-size 2048 --out runs/four-hosts",
    );
    expect(2048 % (ranks("nodes") * ranks("ntasks-per-node"))).toBe(0);
    for (const flag of trainFlags(script)) expect(known).toContain(flag);
  });

  test("has a manifest with as many ranks as workers, and the same volume in all pods", () => {
    const { kind, spec } = parse(block("yaml")) as {
      kind: string;
      spec: {
        slotsPerWorker: number;
        mpiReplicaSpecs: Record<"Launcher" | "Worker", { replicas: number; template: PodTemplate }>;
      };
    };
    expect(kind).toBe("MPIJob");
    const { Launcher, Worker } = spec.mpiReplicaSpecs;
    const [script] = Launcher.template.spec.containers[0].args!;
    expect(dryRun(script, "/")).toBe(
      `mpiexec -n ${Worker.replicas * spec.slotsPerWorker} node_modules/.bin/bespoke train --data /data/photos --batch-size 2048 --out /data/runs/cluster`,
    );
    for (const flag of trainFlags(script)) expect(known).toContain(flag);
    for (const { template } of [Launcher, Worker]) {
      expect(template.spec.containers[0].volumeMounts).toEqual([{ name: "data", mountPath: "/data" }]);
      expect(template.spec.volumes).toMatchObject([{ name: "data" }]);
    }
    expect(Worker.template.spec.containers[0].resources!.limits["nvidia.com/gpu"]).toBe(spec.slotsPerWorker);
  });
});
