import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type { Part } from "./parts.ts";

/** How a part went. */
export interface Outcome {
  readonly name: string;
  /** Its exit code, "ended" where its time was over, "no time" where it was not begun, or why it could not be. */
  readonly end: number | string;
  readonly seconds: number;
}

/** With less than this left, in seconds, nothing is begun. */
const LEAST = 20;
/** What a part that is told to end has to do so. */
const GRACE_MS = 5000;

/**
 * Runs parts one after the other, `total` seconds at most, each in its own limit, what it says in `<out>/<name>.log`. After each
 * `<out>/<file>` says how they went so far, so that whatever ends the sitting, what is done is there.
 */
export async function runParts(
  parts: readonly Part[],
  { out, file, total, least = LEAST }: { out: string; file: string; total: number; least?: number },
  say: (line: string) => void,
): Promise<Outcome[]> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const outcomes: Outcome[] = [];
  for (const part of parts) {
    const begun = seconds();
    const left = total - begun;
    const end = left < least ? "no time" : await runPart(part, Math.min(part.limit, left), out);
    outcomes.push({ name: part.name, end, seconds: seconds() - begun });
    say(`${part.name}: ${end} after ${(seconds() - begun).toFixed(0)} s (at ${seconds().toFixed(0)} s)`);
    await writeFile(join(out, file), `${JSON.stringify(outcomes, null, 2)}\n`);
  }
  return outcomes;
}

async function runPart(
  { name, command: [program, ...args], env }: Part,
  limit: number,
  out: string,
): Promise<Outcome["end"]> {
  const log = createWriteStream(join(out, `${name}.log`));
  // A group of its own, so that what it has started ends with it.
  const child = spawn(program, args, { env: { ...process.env, ...env }, detached: true });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  let over = false;
  const tell = (signal: NodeJS.Signals): void => {
    over = true;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  };
  const timers = [
    setTimeout(() => tell("SIGTERM"), 1000 * limit),
    setTimeout(() => tell("SIGKILL"), 1000 * limit + GRACE_MS),
  ];
  const end = await new Promise<Outcome["end"]>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(over ? "ended" : (code ?? signal ?? "ended")));
  });
  timers.forEach(clearTimeout);
  log.end();
  await finished(log);
  return end;
}
