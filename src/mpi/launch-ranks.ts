import { spawn } from "node:child_process";
import { findMpi } from "./find-mpi.ts";
import { MpiError } from "./mpi-error.ts";
import { STATUS_SOCKET } from "./rank-status.ts";
import { watchRanks } from "./watch-ranks.ts";

/** The flag that asks for ranks, which a rank is not to be given again. */
const FLAG = /^--ranks(=.*)?$/;

/** `args` without `--ranks N`. */
export function withoutRanks(args: readonly string[]): string[] {
  const place = args.findIndex((arg) => FLAG.test(arg));
  if (place < 0) return [...args];
  return args.toSpliced(place, args[place].includes("=") ? 1 : 2);
}

/**
 * Starts this process's own command as `count` ranks on this machine, by the `mpiexec` of its MPI, and waits for their end. Says
 * which one it was when one is killed or crashes.
 *
 * @returns the exit code.
 * @throws MpiError where there is no MPI that could start them.
 */
export async function launchRanks(count: number): Promise<number> {
  const { mpiexec, library } = await findMpi();
  if (mpiexec === null) {
    throw new MpiError(
      `There is no mpiexec beside ${library}: start the ranks by that of its MPI, mpiexec -n ${count} node_modules/.bin/bespoke train …`,
    );
  }
  const [program, script, ...args] = process.argv;
  const command = ["-n", String(count), program, ...process.execArgv, script, ...withoutRanks(args)];
  const watch = await watchRanks(({ rank, host, at }) => {
    process.stderr.write(
      `Rank ${rank} on ${host} was killed or has crashed at ${at}. The run is ended on all ranks; --resume goes on from the last ` +
        `checkpoint.\n`,
    );
  });
  const child = spawn(mpiexec, command, {
    stdio: "inherit",
    env: { ...process.env, BESPOKE_MPI: library, [STATUS_SOCKET]: watch.path },
  });
  // The terminal tells mpiexec too; others tell only this process.
  const terminate = (): void => {
    watch.expectEnd();
    child.kill("SIGINT");
  };
  process.on("SIGTERM", terminate);
  process.on("SIGINT", watch.expectEnd);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 1));
    });
  } finally {
    process.off("SIGTERM", terminate);
    process.off("SIGINT", watch.expectEnd);
    await watch.close();
  }
}
