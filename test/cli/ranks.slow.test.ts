import { copyFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Summary } from "../../src/runs/summary.ts";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { bestAdapters } from "../../scripts/setup/adapter-choice.mjs";
import { listAdapters } from "../../src/adapter/adapters.ts";
import { expectClose } from "../helpers/close.ts";
import { testMpi } from "../helpers/mpi.ts";
import { commandLine, runCommandLine, runProgram } from "./command-process.ts";
import type { Ended, ProcessOptions } from "./command-process.ts";
import { ending } from "./run-end.ts";
import { photos } from "./train-process.ts";
import type { RunEnd } from "./run-end.ts";

/** Twelve steps, six of each phase. */
const RUN = [
  ...["--image-size", "32", "--batch-size", "6", "--validation-photos", "5", "--seed", "7"],
  ...["--epochs-frozen", "2", "--epochs-finetune", "2", "--steps-per-epoch", "3"],
  ...["--augment", "hue,flip_left_right", "--optimizer", "adam", "--clip-norm", "1"],
];

const mpi = await testMpi();
if ("reason" in mpi) console.warn(`Training on several ranks is not tested: ${mpi.reason}`);

/** The processes that are rank `rank` of a run in `folder`. */
async function pidsOf(rank: number, folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const said = environment.split("\0");
    if (said.includes(`PMI_RANK=${rank}`) && said.includes(`BESPOKE_TEST_RUN=${folder}`))
      found.push(Number(pid));
  }
  return found;
}

describe.skipIf("reason" in mpi)("--ranks", () => {
  let folder: string;
  let whole: RunEnd;
  let summary: Summary;

  const train = (args: readonly string[], options: ProcessOptions = {}): Promise<Ended> =>
    runCommandLine("train", args, {
      ...options,
      ...{ cwd: folder, whiteFigures: true },
      env: { BESPOKE_TEST_RUN: folder, ...("reason" in mpi ? {} : { BESPOKE_MPI: mpi.library }) },
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-ranks-"));
    const { code, errors, output } = await train([...RUN, "--ranks", "2", "--out", "whole"]);
    expect([code, errors]).toEqual([0, ""]);
    // The first rank speaks.
    expect(output.match(/^Writing to whole$/gm)).toHaveLength(1);
    const one = bestAdapters(await listAdapters(), process.env.BESPOKE_ADAPTER || "auto").length === 1;
    const shared = /^Adapter: (.*) \(.*\)\nRanks 0 and 1 of \S+ share \1: there is no other one for them\.$/m;
    expect(shared.test(output)).toBe(one);
    expect(
      output.match(
        /^val_accuracy.*; ranks waited [\d.]+ to [\d.]+ s in exchanges, rank [01] least; gradients took up to [\d.]+ s, \d+ % of it while the backward pass went on$/gm,
      ),
    ).toHaveLength(1);
    summary = JSON.parse(await readFile(join(folder, "whole/summary.json"), "utf8")) as Summary;
    expect(summary.rank_wait_seconds).toHaveLength(2);
    for (const [i, seconds] of summary.rank_exchange_seconds!.entries()) {
      expect(seconds).toBeGreaterThan(0);
      expect(summary.rank_wait_seconds![i]).toBeGreaterThan(0);
      // Of the small network everything is in one bucket or two.
      expect(summary.rank_exchange_overlap![i]).toBeGreaterThanOrEqual(0);
      expect(summary.rank_exchange_overlap![i]).toBeLessThan(1);
    }
    whole = await ending(join(folder, "whole"));
    expect(whole.state.globalStep).toBe(12);
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("learns what one process learns in as many micro-batches", { timeout: 300_000 }, async () => {
    expect(await train([...RUN, "--accumulate", "2", "--out", "alone"])).toMatchObject({
      code: 0,
      errors: "",
    });
    const [ranks, alone] = await Promise.all(
      ["whole", "alone"].map((run) => readCheckpoint(join(folder, run, "checkpoints/last.safetensors"))),
    );
    const values = new Map(alone.values);
    for (const [name, { data }] of ranks.values) expectClose(data, values.get(name)!.data, 1e-5);
    const losses = (run: typeof alone) => run.state.history.flatMap(({ loss, valLoss }) => [loss, valLoss]);
    losses(ranks).forEach((loss, i) => expect(Math.abs(loss / losses(alone)[i] - 1)).toBeLessThan(1e-6));
  });

  it(
    "learns what one process learns of whole batches, with batch norms over all ranks",
    {
      timeout: 300_000,
    },
    async () => {
      const args = [
        ...[...RUN, "--epochs-frozen", "1", "--epochs-finetune", "1"],
        ...["--optimizer", "sgd", "--loss", "cross-entropy", "--sync-batch-norm"],
      ];
      for (const [out, ...more] of [["together", "--ranks", "2"], ["one"]])
        expect(await train([...args, ...more, "--out", out])).toMatchObject({ code: 0, errors: "" });
      const [together, one] = await Promise.all(["together", "one"].map((run) => ending(join(folder, run))));
      const losses = ({ state }: RunEnd) => state.history.flatMap(({ loss, valLoss }) => [loss, valLoss]);
      losses(together).forEach((loss, i) => expect(Math.abs(loss / losses(one)[i] - 1)).toBeLessThan(1e-5));
    },
  );

  it("learns much the same with gradients in half precision", { timeout: 300_000 }, async () => {
    const args = [...RUN, "--max-steps", "6", "--ranks", "2"];
    const { code, errors } = await train([...args, "--wire", "f16", "--out", "halves"]);
    expect([code, errors]).toEqual([0, ""]);
    const { state } = await ending(join(folder, "halves"));
    expect(state.history).toHaveLength(2);
    state.history.forEach(({ loss }, i) => {
      expect(loss).not.toBe(whole.state.history[i].loss);
      expect(Math.abs(loss / whole.state.history[i].loss - 1)).toBeLessThan(5e-3);
    });
  });

  it.skipIf(process.platform !== "linux")(
    "ends with any rank that is killed, names it, and taken up each time comes to the same bits",
    { timeout: 300_000 },
    async () => {
      // Of both phases, of which there is more to come when the first kill may fall.
      const epochSeconds = Object.values(summary.seconds_per_epoch).reduce(
        (sum, seconds) => sum + seconds,
        0,
      );
      let kills = 0;
      let ended = false;
      for (let start = 0; kills < 5 && !ended; start++) {
        const rank = Math.floor(2 * Math.random());
        let killed: Promise<void> | undefined;
        const args = start === 0 ? [...RUN, "--out", "killed"] : ["--resume", "killed"];
        const { code, errors, output } = await train([...args, "--ranks", "2"], {
          onOutput: (said) => {
            // There is nothing to take up before the first checkpoint.
            if (!(start === 0 ? /^Epoch 1\/4/m : /step \d+\/3|^Epoch/m).test(said)) return;
            killed ??= (async () => {
              await new Promise((resolve) => setTimeout(resolve, 1000 * epochSeconds * Math.random()));
              for (const pid of await pidsOf(rank, folder)) process.kill(pid, "SIGKILL");
            })();
          },
        });
        await killed;
        for (const other of [0, 1]) expect(await pidsOf(other, folder)).toEqual([]);
        const said = errors.match(/^Rank . on .*$/gm);
        // A rank that has said all there is to say may be killed on its way out.
        ended = code === 0 || (said === null && /^val_accuracy.* steps in /m.test(output));
        if (ended) break;
        kills++;
        const named = expect.stringMatching(
          new RegExp(
            `^Rank ${rank} on \\S+ was killed or has crashed at (the start|step \\d+)\\. The run is ended`,
          ),
        ) as string;
        // What mpiexec says of the end is shown where it is another one.
        expect({ said, last: output.slice(-600) }).toEqual({
          said: [named],
          last: expect.any(String) as string,
        });
        if (kills === 1) await cp(join(folder, "killed"), join(folder, "copy"), { recursive: true });
      }
      expect(kills).toBeGreaterThan(0);
      if (!ended)
        expect(await train(["--resume", "killed", "--ranks", "2"])).toMatchObject({ code: 0, errors: "" });
      expect(await ending(join(folder, "killed"))).toEqual(whole);
      // With other numbers of ranks it goes on, with what batch norms see then.
      for (const ranks of ["3", "1"]) {
        const out = `of-${ranks}`;
        await cp(join(folder, "copy"), join(folder, out), { recursive: true });
        expect(await train(["--resume", out, "--ranks", ranks])).toMatchObject({ code: 0, errors: "" });
        expect((await ending(join(folder, out))).state.globalStep).toBe(12);
      }
    },
  );

  it("refuses ranks that differ in settings, weights or data", { timeout: 300_000 }, async () => {
    const weights = await readFile(join(folder, "whole/checkpoints/last.safetensors"));
    await writeFile(join(folder, "one.safetensors"), weights);
    // The last bits of some numbers, behind the header.
    const begin = 8 + Number(weights.readBigUInt64LE());
    for (let at = begin; at < weights.length; at += 4096) weights[at] ^= 1;
    await writeFile(join(folder, "other.safetensors"), weights);
    const data = await photos(folder);
    await cp(data, join(folder, "others"), { recursive: true });
    await copyFile(join(data, "images/photo1.jpg"), join(folder, "others/images/photo0.jpg"));
    const same = [
      "--image-size",
      "32",
      "--batch-size",
      "2",
      "--validation-photos",
      "2",
      "--out",
      "differing",
    ];
    for (const [first, second, difference] of [
      [["--seed", "7"], ["--seed", "8"], "its seed is 8 and not 7"],
      [
        ["--weights", "one.safetensors"],
        ["--weights", "other.safetensors"],
        "the weights that it begins with are others",
      ],
      [["--data", "data"], ["--data", "others"], "its photos and masks are others"],
    ] as const) {
      const [one, other] = await Promise.all(
        [first, second].map((own) => commandLine("train", [...same, ...own])),
      );
      const { code, errors, output } = await runProgram(
        (mpi as { mpiexec: string }).mpiexec,
        ["-n", "1", ...one, ":", "-n", "1", ...other],
        { cwd: folder, env: { BESPOKE_MPI: (mpi as { library: string }).library } },
      );
      expect(code).toBe(1);
      expect(output).not.toContain("Writing to");
      expect(errors).toContain(
        `Rank 1 does not train what rank 0 trains: ${difference}. Start all ranks with the same`,
      );
    }
  });

  it("says what is wrong once, and nothing of it comes to be", { timeout: 120_000 }, async () => {
    const refused = async (args: readonly string[]): Promise<string> => {
      const { code, errors, output } = await train([...args, "--out", "refused"]);
      expect(code).toBe(1);
      expect(output).not.toContain("Writing to");
      return errors;
    };
    expect(await refused([...RUN, "--ranks", "4"])).toBe(
      "4 ranks cut a batch into equal parts, and --batch-size 6 is no multiple of 4: give --batch-size 8, for example.\n",
    );
    expect(await refused([...RUN, "--ranks", "2", "--data", "nowhere"])).toContain("nowhere");
    expect(await refused(["--ranks", "2", "--dry-run"])).toBe(
      "--dry-run looks at one process: leave out --ranks and mpiexec.\n",
    );
    expect(await refused(["--ranks", "0"])).toContain("It must be a whole number from 1.");
  });
});

describe("--ranks without an MPI", () => {
  it("says how to get one", { timeout: 60_000 }, async () => {
    const { code, errors } = await runCommandLine("train", ["--ranks", "2"], {
      env: { BESPOKE_MPI: join(tmpdir(), "no-mpi") },
    });
    expect(code).toBe(1);
    expect(errors).toMatch(
      /^BESPOKE_MPI is \S+no-mpi, where there is no libmpi_abi\S*\. .*`pip install mpich`/,
    );
  });
});
