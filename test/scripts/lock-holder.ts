import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Taking } from "../../scripts/setup/lock-file.mjs";

export interface LockHolder {
  readonly pid: number;
  /** What came of its taking the lock. */
  readonly taking: Taking;
  /** Ends it, by a signal or of its own accord, and waits for that. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** A process that takes a lock and has it until it ends. */
export async function lockHolder(path: string): Promise<LockHolder> {
  const script = fileURLToPath(new URL("hold-lock.mjs", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  return {
    pid: child.pid!,
    taking: JSON.parse(line.toString()) as Taking,
    async end(signal) {
      if (signal) child.kill(signal);
      else child.stdin!.end();
      await ended;
    },
  };
}
