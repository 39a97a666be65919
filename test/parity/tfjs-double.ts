import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { TrainingTask } from "./tfjs-training.ts";

/**
 * {@link trainWithTfjs} in double precision, in a process of its own: tfjs's CPU backend keeps its numbers in
 * `Float32Array`s and computes with JavaScript's doubles, so that it is a double precision backend wherever that name
 * means `Float64Array`.
 */
export function trainWithTfjsInDouble(task: TrainingTask): Promise<number[]> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = fork(fileURLToPath(new URL("./tfjs-double-process.ts", import.meta.url)), [], {
    execArgv: ["--import", loader],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    child.once("message", (losses) => resolve(losses as number[]));
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`tfjs in double precision ended with exit code ${code}.`)));
    child.send(task);
  });
}
