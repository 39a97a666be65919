import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * What a finished process left: its exit code (null when a signal ended it or it never started), what it printed, and
 * why it did not start.
 *
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null, stdout: string, stderr: string, failure: Error | null }} Finished
 */

/**
 * Runs a command to its end with nothing on its stdin and collects its output. Never rejects.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutSeconds?: number, shell?: boolean }} [options]
 * @returns {Promise<Finished>}
 */
export function capture(command, args, { cwd, env, timeoutSeconds = 600, shell = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      shell,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutSeconds * 1000,
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
    child.on("error", (failure) => resolve({ code: null, signal: null, stdout, stderr, failure }));
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr, failure: null }));
  });
}

/**
 * Runs a command as if it stood in this process's place: same terminal, signals passed on, and this process ends as the
 * command did (its exit code, or the signal that ended it).
 *
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<void>}
 */
export function runInPlace(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: "inherit" });
    // A terminal's Ctrl-C reaches the whole foreground process group, so the command has it already: passed on again it
    // would count as the second, impatient one.
    const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    /** @type {Record<string, () => void>} */
    const handlers = {
      SIGINT: () => terminal || child.kill("SIGINT"),
      SIGTERM: () => child.kill("SIGTERM"),
      SIGHUP: () => child.kill("SIGHUP"),
    };
    for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
    const release = () => {
      for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
    };
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      release();
      process.exitCode = code ?? 128 + constants.signals[signal ?? "SIGTERM"];
      if (signal !== null) process.kill(process.pid, signal);
      resolve();
    });
  });
}
