import type * as unetModule from "../../src/layers/unet.ts";
import type { StandIn } from "./stand-ins.mjs";

/**
 * For `vi.mock` of `src/layers/unet.ts`: the small U-Net of `small-unet.ts`, which compiles and learns in a fraction of the time.
 * Commands train the whole network in `test/cli/whole-network.slow.test.ts`.
 */
export async function smallUnet(
  importOriginal: () => Promise<typeof unetModule>,
): Promise<typeof unetModule> {
  const original = await importOriginal();
  const { smallUnetOf } = await import("./small-unet.ts");
  return { ...original, ...smallUnetOf(original) };
}

/** For a process that loads the sources one by one, with something that stands in for modules: what `stand-ins-register.mjs` is asked for. */
export function standInEnvironment(names: readonly StandIn[]): NodeJS.ProcessEnv {
  if (names.length === 0) return {};
  const register = new URL(`./stand-ins-register.mjs?${names.join("&")}`, import.meta.url).href;
  return { NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${register}`].filter(Boolean).join(" ") };
}
