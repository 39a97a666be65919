/**
 * @file Runs `makeBatch` in a worker thread of a `WorkerPool`: each message is a `BatchRecipe`.
 *
 * Plain JavaScript, because a worker thread does not inherit the TypeScript loader of its parent.
 */
import { existsSync } from "node:fs";
import { parentPort } from "node:worker_threads";

// In a built package there is JavaScript, and no loader.
const built = new URL("./recipe.js", import.meta.url);
const { makeBatch } = existsSync(built)
  ? await import(built.href)
  : await (await import("tsx/esm/api")).tsImport("./recipe.ts", import.meta.url);
parentPort.on("message", async (recipe) => {
  try {
    const result = await makeBatch(recipe);
    parentPort.postMessage({ result }, [result.images.buffer, result.labels.buffer]);
  } catch (error) {
    // A structured clone forgets which class an error is of.
    parentPort.postMessage(error?.name === "DataError" ? { refusal: error.message } : { error });
  }
});
parentPort.postMessage("ready");
