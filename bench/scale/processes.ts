import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { findMpi } from "../../src/mpi/find-mpi.ts";
import type { RankResult, RankTask } from "./rank.ts";

const RANK = fileURLToPath(new URL("rank.ts", import.meta.url));

/** Whether processes can be kept on one core each. */
export const canPin = process.platform === "linux" && spawnSync("taskset", ["--version"]).status === 0;

function command(task: RankTask, core: number): string[] {
  const pinned = canPin ? ["taskset", "-c", String(core)] : [];
  return [...pinned, process.execPath, ...process.execArgv, RANK, JSON.stringify(task)];
}

/** A rank that exchanges nothing, on one core. */
export const runAlone = (task: RankTask, core: number): Promise<RankResult> => resultOf(command(task, core));

/**
 * Two ranks of this machine, on a core each.
 *
 * @throws MpiError where there is no MPI; Error when they fail.
 */
export async function runPair(task: RankTask): Promise<RankResult> {
  const { library, mpiexec } = await findMpi();
  if (mpiexec === null) throw new Error(`There is no mpiexec beside ${library}.`);
  const ranks = [0, 1].map((core) => ["-n", "1", ...command(task, core)]);
  return resultOf([mpiexec, ...ranks[0], ":", ...ranks[1]], { BESPOKE_MPI: library });
}

function resultOf([program, ...args]: string[], env: NodeJS.ProcessEnv = {}): Promise<RankResult> {
  const child = spawn(program, args, {
    // A thread of lavapipe's for its core.
    env: { ...process.env, ...(canPin && { LP_NUM_THREADS: "1" }), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (output += text.toString()));
  child.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      const line = output.split("\n").find((each) => each.startsWith("{"));
      if (code === 0 && line !== undefined) resolve(JSON.parse(line) as RankResult);
      else reject(new Error(`A rank ended with code ${code}: ${errors.trim() || output.trim()}`));
    });
  });
}
