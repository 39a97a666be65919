import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { findMpi } from "../../src/mpi/find-mpi.ts";
import type { MpiInstallation } from "../../src/mpi/find-mpi.ts";
import { messageOf } from "../../src/message-of.ts";

/** An MPI that can start ranks, or why there is none. */
export type TestMpi = (MpiInstallation & { readonly mpiexec: string }) | { readonly reason: string };

/** What tests on several ranks run with; they are skipped, for the reason that is given, where there is none. */
export async function testMpi(): Promise<TestMpi> {
  try {
    const mpi = await findMpi();
    if (mpi.mpiexec === null) return { reason: `There is no mpiexec beside ${mpi.library}.` };
    return { ...mpi, mpiexec: mpi.mpiexec };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

export interface RanksOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** Runs a script of `test/mpi/ranks` on `count` ranks; null for one process, which starts its own. */
export function runRanks(
  mpi: TestMpi,
  count: number | null,
  script: string,
  args: readonly string[] = [],
): Promise<RanksOutcome> {
  if ("reason" in mpi) throw new Error(mpi.reason);
  const file = fileURLToPath(new URL(`../mpi/ranks/${script}`, import.meta.url));
  const start = performance.now();
  const [program, ...words] = [
    ...(count === null ? [] : [mpi.mpiexec, "-n", String(count)]),
    ...[process.execPath, "--import", "tsx", file, ...args],
  ];
  const child = spawn(program, words, {
    env: { ...process.env, BESPOKE_MPI: mpi.library },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, stdout, stderr, seconds: (performance.now() - start) / 1000 }),
    );
  });
}
