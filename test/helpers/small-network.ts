import type * as unetModule from "../../src/layers/unet.ts";
import { isQuick } from "./quick.ts";

/**
 * For `vi.mock` of `src/layers/unet.ts`: the small U-Net of `small-unet.ts`, which compiles and learns in a fraction of the time,
 * or the real one when all tests run.
 */
export async function smallUnet(
  importOriginal: () => Promise<typeof unetModule>,
): Promise<typeof unetModule> {
  const original = await importOriginal();
  if (!isQuick) return original;
  const { smallUnetOf } = await import("./small-unet.ts");
  return { ...original, ...smallUnetOf(original) };
}

/** The same for a process of its own, as what Node adds to its command line. */
export function smallUnetEnvironment(): NodeJS.ProcessEnv {
  if (!isQuick) return {};
  const register = new URL("./small-unet-register.mjs", import.meta.url).href;
  return { NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${register}`].filter(Boolean).join(" ") };
}
