import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Has lavapipe compile quickly what is run only once: without the passes of LLVM's that make code faster. To be called before a
 * device is opened; every file has a process of its own. Other adapters do not know these variables.
 *
 * @param options.narrow 4 lanes at a time: half the code, for kernels with barriers; a subgroup has 4 lanes then.
 */
export function compileQuickly({ narrow = false }: { narrow?: boolean } = {}): void {
  process.env.GALLIVM_PERF = "nopt";
  // What was compiled so is not for other processes to find: Mesa's cache does not tell it from the rest.
  const name = narrow ? "quick-narrow" : "quick";
  const folder = fileURLToPath(new URL(`../../.cache/shaders/${name}`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  process.env.MESA_SHADER_CACHE_DIR = folder;
  if (!narrow) return;
  process.env.LP_NATIVE_VECTOR_WIDTH = "128";
  // The adapter's name tells the width.
  const chosen = process.env.BESPOKE_CHOSEN_ADAPTER;
  if (chosen?.startsWith("llvmpipe"))
    process.env.BESPOKE_CHOSEN_ADAPTER = chosen.replace(/\d+ bits/, "128 bits");
}
