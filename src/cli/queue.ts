import type { Command } from "commander";
import { queueCommand } from "./definitions/queue.ts";
import { runCommand } from "./run-command.ts";

/** What each of them does; what it takes is loaded with it. */
const PROGRAMS: Readonly<
  Record<
    string,
    () => Promise<{ run: (flags: never, interrupted: AbortSignal, args: never) => Promise<void> }>
  >
> = {
  add: () => import("./queue/add.ts"),
  work: () => import("./queue/work.ts"),
  status: () => import("./queue/status.ts"),
  retry: () => import("./queue/retry.ts"),
  verify: () => import("./queue/verify.ts"),
};

const command = queueCommand();
let chosen: Command | undefined;
for (const program of command.commands) program.action(() => void (chosen = program));

await runCommand(command, async (interrupted) => {
  // Without one commander has said how it is used, and left.
  const { run } = await PROGRAMS[chosen!.name()]();
  await run(chosen!.opts<never>(), interrupted, chosen!.processedArgs as never);
});
