import { createRequire } from "node:module";
import { dirname } from "node:path";

// By its own name, which is found from the sources and from what was compiled of them alike.
const require = createRequire(import.meta.url);
const { version } = require("bespoke/package.json") as { version: string };

/** Of this package. */
export const VERSION = version;
/** The folder of this package: the checkout, or where it was installed. */
export const PACKAGE_FOLDER = dirname(require.resolve("bespoke/package.json"));
/** Whether this is the package that people install, compiled, and not the checkout. */
export const isInstalled = import.meta.url.endsWith(".js");

/** How one of the programs is run here, for a sentence: by `npx bespoke`, or in the checkout by `npm run`. */
export function programLine(name: string, ...args: readonly string[]): string {
  const words = isInstalled
    ? ["npx", "bespoke", name]
    : ["npm", "run", name, ...(args.length > 0 ? ["--"] : [])];
  return [...words, ...args].join(" ");
}
