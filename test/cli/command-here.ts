import { vi } from "vitest";
import type { Ended, ProcessOptions } from "./command-process.ts";

/** Thrown where a command would have left. */
class Left extends Error {}

let runs = 0;

/**
 * Runs `src/cli/<name>.ts` in this process, which saves the seconds that a process of its own takes to begin. One at a time, since
 * they share what a process has once; a signal reaches the command as an event.
 */
export async function runCommandHere(
  name: string,
  args: readonly string[],
  { cwd = process.cwd(), onOutput }: Pick<ProcessOptions, "cwd" | "onOutput">,
): Promise<Ended> {
  const before = { argv: process.argv, cwd: process.cwd(), exitCode: process.exitCode };
  const said = { output: "", errors: "" };
  let left: number | undefined;
  const streams = [process.stdout, process.stderr] as const;
  const listeners = streams.map((stream) => stream.listeners("error"));
  const kill = (signal: NodeJS.Signals): void => void setImmediate(() => process.emit(signal));
  const spies = [
    ...(["output", "errors"] as const).map((kind, i) =>
      vi.spyOn(streams[i], "write").mockImplementation((text) => {
        if (left !== undefined) return true;
        said[kind] += String(text);
        if (kind === "output") onOutput?.(said.output, kill);
        return true;
      }),
    ),
    vi.spyOn(process, "exit").mockImplementation((code) => {
      left ??= Number(code ?? 0);
      throw new Left();
    }),
  ];
  process.argv = [process.execPath, name, ...args];
  process.exitCode = undefined;
  process.chdir(cwd);
  try {
    // Another module each time, on the same ones below.
    await import(/* @vite-ignore */ `/src/cli/${name}.ts?run=${(runs += 1)}`);
    return { code: left ?? Number(process.exitCode ?? 0), signal: null, ...said };
  } catch (error) {
    if (!(error instanceof Left)) throw error;
    return { code: left ?? 0, signal: null, ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
    streams.forEach((stream, i) => {
      for (const listener of stream.listeners("error"))
        if (!listeners[i].includes(listener)) stream.off("error", listener as () => void);
    });
    process.chdir(before.cwd);
    process.argv = before.argv;
    process.exitCode = before.exitCode;
  }
}
