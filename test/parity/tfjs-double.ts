import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { LossAndGradients, TfjsTask, TrainingTask } from "./tfjs-training.ts";

/** What a process of tfjs is asked for. */
export type DoubleTask =
  | { readonly kind: "training"; readonly task: TrainingTask }
  | { readonly kind: "gradients"; readonly task: TfjsTask };

/** {@link trainWithTfjs} in double precision. */
export const trainWithTfjsInDouble = (task: TrainingTask): Promise<number[]> =>
  inDouble({ kind: "training", task }) as Promise<number[]>;

/** {@link gradientsWithTfjs} in double precision. */
export const gradientsWithTfjsInDouble = (task: TfjsTask): Promise<LossAndGradients> =>
  inDouble({ kind: "gradients", task }) as Promise<LossAndGradients>;

/**
 * tfjs in a process of its own: its CPU backend keeps its numbers in `Float32Array`s and computes with JavaScript's doubles, so
 * that it is a double precision backend wherever that name means `Float64Array`.
 */
function inDouble(task: DoubleTask): Promise<unknown> {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = fork(fileURLToPath(new URL("./tfjs-double-process.ts", import.meta.url)), [], {
    execArgv: ["--import", loader],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    // It goes on until nobody listens: one that ended by itself could take a long answer with it.
    child.once("message", (answer) => {
      child.disconnect();
      resolve(answer);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`tfjs in double precision ended with exit code ${code}.`)));
    child.send(task);
  });
}
