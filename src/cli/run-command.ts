import type { Command } from "commander";

/** As a shell has it for a program that a signal ended. */
const EXIT_INTERRUPTED = 130;
/** The reader of a pipe, or the terminal, is gone. */
const NOBODY_READS = ["EPIPE", "EIO"];

/**
 * Runs a command line to its exit code: 0 when all went well; 1 with one sentence on stderr when something was wrong
 * (with the stack when `BESPOKE_DEBUG` is set); 130 after Ctrl-C. The first Ctrl-C aborts the signal handed to `run`,
 * so that it can end tidily; the second leaves at once. A closed terminal aborts it as well. The command goes on where
 * nobody reads what it says.
 */
export async function runCommand(
  command: Command,
  run: (interrupted: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    process.stderr.write("\nStopping; press Ctrl-C again to leave at once.\n");
    controller.abort(new Error("Interrupted."));
  };
  // It comes more than once, from the terminal and from what started this process: no sign of impatience.
  const hangUp = (): void => controller.abort(new Error("The terminal was closed."));
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  process.on("SIGHUP", hangUp);
  // For good: what was said last may fail after the end of `run`.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", passOverNobody);
  try {
    command.parse();
    await run(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) {
      process.exitCode = EXIT_INTERRUPTED;
    } else {
      process.exitCode = 1;
      const { message, stack } = error instanceof Error ? error : new Error(String(error));
      process.stderr.write(`${process.env.BESPOKE_DEBUG ? stack : message}\n`);
    }
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    process.off("SIGHUP", hangUp);
  }
}

function passOverNobody(error: NodeJS.ErrnoException): void {
  if (!NOBODY_READS.includes(error.code ?? "")) throw error;
}
