import type * as unetModule from "../../src/layers/unet.ts";

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

/** The same for a process of its own, as what Node adds to its command line. */
export const smallUnetEnvironment = (): NodeJS.ProcessEnv => standInEnvironment(["small-unet"]);

/** For a process of its own in which something stands in for modules: what `<name>-register.mjs` here registers. */
export function standInEnvironment(
  names: readonly ("small-unet" | "white-figures" | "plain-overlay")[],
): NodeJS.ProcessEnv {
  const imports = names.map((name) => `--import=${new URL(`./${name}-register.mjs`, import.meta.url).href}`);
  return { NODE_OPTIONS: [process.env.NODE_OPTIONS, ...imports].filter(Boolean).join(" ") };
}
