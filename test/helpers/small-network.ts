import type * as unetModule from "../../src/layers/unet.ts";
import { compileQuickly } from "./quick-compiler.ts";

/**
 * For `vi.mock` of `src/layers/unet.ts`: the small U-Net of `small-unet.ts`, which compiles and learns in a fraction of the time,
 * the driver told to compile quickly, here and in the processes that a test starts. Commands train the whole network in `test/cli/whole-network.slow.test.ts`.
 */
export async function smallUnet(
  importOriginal: () => Promise<typeof unetModule>,
): Promise<typeof unetModule> {
  const original = await importOriginal();
  compileQuickly();
  const { smallUnetOf } = await import("./small-unet.ts");
  return { ...original, ...smallUnetOf(original) };
}

/** The same for a process of its own, as what Node adds to its command line. */
export function smallUnetEnvironment(): NodeJS.ProcessEnv {
  const register = new URL("./small-unet-register.mjs", import.meta.url).href;
  return { NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${register}`].filter(Boolean).join(" ") };
}
