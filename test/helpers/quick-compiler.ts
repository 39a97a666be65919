import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const { BESPOKE_CHOSEN_ADAPTER, GALLIVM_PERF, LP_NATIVE_VECTOR_WIDTH, MESA_SHADER_CACHE_DIR } = process.env;

/** The variables as set-up left them, for a process that computes for longer than it compiles. */
export const COMPILE_WELL: NodeJS.ProcessEnv = {
  BESPOKE_CHOSEN_ADAPTER,
  GALLIVM_PERF,
  LP_NATIVE_VECTOR_WIDTH,
  MESA_SHADER_CACHE_DIR,
};

/**
 * Has lavapipe compile quickly what is run only once: without the passes of LLVM's that make code faster, and for 4 lanes at a
 * time, which is half the code. To be called before a device is opened; every file that opens one has a process of its own.
 * Other adapters do not know these variables.
 *
 * @param options.wide as many lanes as by default, 8 on most CPUs: for kernels of another text there, whose subgroups share
 *   work, and for networks as users run them
 */
export function compileQuickly({ wide = false }: { wide?: boolean } = {}): void {
  process.env.GALLIVM_PERF = "nopt";
  // What was compiled so is not for other processes to find: Mesa's cache does not tell it from the rest.
  const name = wide ? "quick" : "quick-narrow";
  const folder = fileURLToPath(new URL(`../../.cache/shaders/${name}`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  process.env.MESA_SHADER_CACHE_DIR = folder;
  set("LP_NATIVE_VECTOR_WIDTH", wide ? LP_NATIVE_VECTOR_WIDTH : "128");
  // The adapter's name tells the width.
  const narrow = BESPOKE_CHOSEN_ADAPTER?.replace(
    /^(llvmpipe.*?)\d+ bits/,
    (_, before: string) => `${before}128 bits`,
  );
  set("BESPOKE_CHOSEN_ADAPTER", wide ? BESPOKE_CHOSEN_ADAPTER : narrow);
}

function set(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
