import { spawn } from "node:child_process";
import { findMpi } from "./find-mpi.ts";
import { MpiError } from "./mpi-error.ts";

/** The flag that asks for ranks, which a rank is not to be given again. */
const FLAG = /^--ranks(=.*)?$/;

/** `args` without `--ranks N`. */
export function withoutRanks(args: readonly string[]): string[] {
  const place = args.findIndex((arg) => FLAG.test(arg));
  if (place < 0) return [...args];
  return args.toSpliced(place, args[place].includes("=") ? 1 : 2);
}

/**
 * Starts this process's own command as `count` ranks on this machine, by the `mpiexec` of its MPI, and waits for their end.
 *
 * @returns the exit code.
 * @throws MpiError where there is no MPI that could start them.
 */
export async function launchRanks(count: number): Promise<number> {
  const { mpiexec, library } = await findMpi();
  if (mpiexec === null) {
    throw new MpiError(
      `There is no mpiexec beside ${library}: start the ranks by that of its MPI, mpiexec -n ${count} npx bespoke train …`,
    );
  }
  const [program, script, ...args] = process.argv;
  const command = ["-n", String(count), program, ...process.execArgv, script, ...withoutRanks(args)];
  const child = spawn(mpiexec, command, { stdio: "inherit", env: { ...process.env, BESPOKE_MPI: library } });
  // The terminal tells mpiexec too; others tell only this process.
  const terminate = (): void => void child.kill("SIGINT");
  process.on("SIGTERM", terminate);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 1));
    });
  } finally {
    process.off("SIGTERM", terminate);
  }
}
