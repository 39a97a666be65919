import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { releaseLock, takeLock } from "../../scripts/setup/lock-file.mjs";
import { isQuick } from "../helpers/quick.ts";
import { npmRun, runCommandLine, runCommandQuickly } from "./command-process.ts";
import type { Ended } from "./command-process.ts";
import { ending } from "./run-end.ts";
import type { RunEnd } from "./run-end.ts";
import { train } from "./train-process.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);
vi.mock(import("../../src/runs/figures/render-svg.ts"), () => import("../helpers/white-figures.ts"));

/** Eight steps in four epochs, two of each phase, with everything that has a state of its own. */
const RUN = [
  ...["--image-size", "32", "--batch-size", "2", "--validation-photos", "4", "--seed", "7"],
  ...["--epochs-frozen", "2", "--epochs-finetune", "2", "--steps-per-epoch", "2"],
  ...["--augment", "hue,flip_left_right", "--shuffle-buffer", "50", "--optimizer", "adam"],
];

describe("--resume", () => {
  let folder: string;
  let whole: RunEnd;
  /** That an epoch takes whose kernels have been compiled. */
  let milliseconds: number;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bespoke-resume-"));
    const epochs: number[] = [];
    const { code, errors } = await train(folder, [...RUN, "--out", "whole"], {
      onOutput: (said) => {
        if (said.includes(`Epoch ${epochs.length + 1}/4`)) epochs.push(performance.now());
      },
    });
    expect([code, errors]).toEqual([0, ""]);
    milliseconds = epochs[1] - epochs[0];
    expect(milliseconds).toBeGreaterThan(0);
    whole = await ending(join(folder, "whole"));
    expect(whole.state.globalStep).toBe(8);
  }, 600_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /**
   * Ends a process by `signal` at a random moment of its first epochs. Counted from the first phase on, since what comes
   * before, and so a whole run, takes far longer where no shader is in the cache yet.
   */
  function killedAtRandom(args: readonly string[], signal: NodeJS.Signals): Promise<Ended> {
    let timer: NodeJS.Timeout | undefined;
    const delay = 1.5 * Math.random() * milliseconds;
    return runCommandLine("train", args, {
      cwd: folder,
      whiteFigures: true,
      onOutput: (said, kill) => {
        if (/^(Encoder frozen|Fine-tuning):/m.test(said)) timer ??= setTimeout(() => kill(signal), delay);
      },
    });
  }

  it("ends with the bits of an uninterrupted run after kill -9 at random moments", async () => {
    const taken: string[] = [];
    for (let kills = 0, begun = false; kills < (isQuick ? 1 : 2);) {
      const { code, signal, output, errors } = await killedAtRandom(
        begun ? ["--resume", "killed"] : [...RUN, "--out", "killed"],
        "SIGKILL",
      );
      begun ||= output.includes("Writing to killed");
      taken.push(/Taking up killed after step \d+/.exec(output)?.[0] ?? "anew");
      // It may have come to its end before the signal did; one that was quicker than the kill is begun again.
      if (signal === "SIGKILL") kills += 1;
      else {
        expect([code, errors]).toEqual([0, ""]);
        await rm(join(folder, "killed"), { recursive: true });
        begun = false;
      }
    }
    console.log(`kill -9: ${taken.join(", ")}`);
    const { code, output, errors } = await train(folder, ["--resume", "killed"]);
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toMatch(/Taking up killed after step|no checkpoint yet/);
    expect(await ending(join(folder, "killed"))).toEqual(whole);
    expect(await readdir(join(folder, "killed"))).not.toContain("run.lock");
  });

  it("goes on within an epoch after Ctrl-C, and lifts a limit of steps", async () => {
    const first = await train(folder, [...RUN, "--out", "stopped", "--max-steps", "3"]);
    expect(first.code).toBe(0);
    expect((await ending(join(folder, "stopped"))).state).toMatchObject({
      globalStep: 3,
      step: 1,
    });
    let interrupted = false;
    const second = await (isQuick ? runCommandQuickly : runCommandLine)("train", ["--resume", "stopped"], {
      cwd: folder,
      whiteFigures: true,
      onOutput: (said, kill) => {
        if (interrupted || !said.includes("Fine-tuning:")) return;
        // A second Ctrl-C would have it leave at once.
        interrupted = true;
        kill("SIGINT");
      },
    });
    expect(second.code).toBe(130);
    expect(second.output).toContain("Stopped; go on with --resume stopped");
    const { globalStep } = (await ending(join(folder, "stopped"))).state;
    expect(globalStep).toBeGreaterThanOrEqual(4);
    expect(globalStep).toBeLessThan(8);
    expect((await train(folder, ["--resume", "stopped"])).code).toBe(0);
    expect(await ending(join(folder, "stopped"))).toEqual(whole);
  });

  it.runIf(process.platform !== "win32")("goes on to the same bits after SIGTERM to npm alone", async () => {
    const out = join(folder, "ended");
    const { output, errors } = await npmRun("train", [...RUN, "--out", out, "--no-cache"], {
      whiteFigures: true,
      onOutput: (said, kill) => {
        if (said.includes("Encoder frozen:")) kill("SIGTERM");
      },
    });
    expect(errors).toContain("Stopping.");
    expect(output).toContain(`Stopped; go on with --resume ${out}`);
    expect((await ending(out)).state.globalStep).toBeLessThan(8);
    expect((await train(folder, ["--resume", "ended"])).code).toBe(0);
    expect(await ending(out)).toEqual(whole);
  });

  it("has nothing to do for a run that is finished, and says so", async () => {
    const { code, output } = await train(folder, ["--resume", "whole"]);
    expect(code).toBe(0);
    expect(output).toContain("Taking up whole after step 8");
    expect(await ending(join(folder, "whole"))).toEqual(whole);
  });

  it("refuses a run that another process writes", async () => {
    const lock = join(folder, "whole", "run.lock");
    expect(takeLock(lock).taken).toBe(true);
    try {
      const { code, errors } = await train(folder, ["--resume", "whole"]);
      expect(errors.trim()).toMatch(
        new RegExp(`^whole is being written by process ${process.pid} .*: wait for its end, or end it\\.$`),
      );
      expect(code).toBe(1);
    } finally {
      releaseLock(lock);
    }
  });

  it("refuses other settings, other photos and what is no run", async () => {
    const refused = async (args: string[], sentence: RegExp): Promise<void> => {
      const { code, errors } = await train(folder, args);
      expect(errors.trim()).toMatch(sentence);
      expect([code, errors.trim().split("\n").length]).toEqual([1, 1]);
    };
    await refused(
      ["--resume", "whole", "--batch-size", "4"],
      /^--resume goes on with the run's own settings: leave out --batch-size/,
    );
    await refused(["--resume", "whole", "--data", "elsewhere"], /^There is no folder elsewhere/);
    await refused(["--resume", "nowhere"], /^nowhere is no run/);
    await refused(["--resume", "whole", "--config", "x.yaml"], /leave out --config/);
  });
});
