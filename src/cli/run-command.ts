import type { Command } from "commander";
import { whenOneEnds } from "../../scripts/setup/forebears.mjs";
import { readLaunched } from "../../scripts/setup/launched.mjs";
import { missingModule } from "../../scripts/setup/missing-module.mjs";
import { isInstalled } from "../files/package.ts";
import { startedRanks } from "../mpi/started-ranks.ts";
import { refuseNpmFlags } from "./npm-flags.ts";

/** As a shell has it for a program that a signal ended. */
export const EXIT_INTERRUPTED = 130;
/** One Ctrl-C may come from the terminal, from npm and from the launcher; milliseconds after which it is another one. */
const IMPATIENCE_MS = 700;
/** The reader of a pipe, or the terminal, is gone. */
const NOBODY_READS = ["EPIPE", "EIO"];

/**
 * Runs a command line to its exit code: 0 when all went well; 1 with one sentence on stderr when something was wrong
 * (with the stack when `BESPOKE_DEBUG` is set); 130 after Ctrl-C. The first Ctrl-C aborts the signal handed to `run`,
 * so that it can end tidily; the second leaves at once. SIGTERM, a closed terminal and the end of what started the
 * command abort it as well. The command goes on where nobody reads what it says.
 */
export async function runCommand(
  command: Command,
  run: (interrupted: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  let since = 0;
  const stop = (why: string, said: string): void => {
    if (controller.signal.aborted) return;
    since = performance.now();
    // Of ranks the first one speaks.
    if ((startedRanks()?.rank ?? 0) === 0) process.stderr.write(said);
    controller.abort(new Error(why));
  };
  const interrupt = (): void => {
    if (controller.signal.aborted && performance.now() - since > IMPATIENCE_MS)
      process.exit(EXIT_INTERRUPTED);
    stop("Interrupted.", "\nStopping; press Ctrl-C again to leave at once.\n");
  };
  // These come more than once, from several that were told to end: no sign of impatience.
  const terminate = (): void => stop("Interrupted.", "\nStopping.\n");
  const hangUp = (): void => stop("The terminal was closed.", "");
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", terminate);
  process.on("SIGHUP", hangUp);
  const launched = readLaunched();
  const unwatch = launched === null ? () => undefined : whenOneEnds([launched.pid], terminate);
  // For good: what was said last may fail after the end of `run`.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", passOverNobody);
  try {
    refuseNpmFlags(command);
    if (isInstalled) command.name(`bespoke ${command.name()}`);
    command.parse();
    await run(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) {
      process.exitCode = EXIT_INTERRUPTED;
    } else {
      process.exitCode = 1;
      // What goes wrong on one rank alone it has said itself.
      if ((startedRanks()?.rank ?? 0) > 0) return;
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      process.stderr.write(`${process.env.BESPOKE_DEBUG ? stack : (missingModule(error) ?? message)}\n`);
    }
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", terminate);
    process.off("SIGHUP", hangUp);
    unwatch();
  }
}

function passOverNobody(error: NodeJS.ErrnoException): void {
  if (!NOBODY_READS.includes(error.code ?? "")) throw error;
}
