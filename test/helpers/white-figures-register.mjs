// `node --import=<this file>` has white figures in place of drawn ones; see white-figures.ts.
import { register } from "node:module";

register("./stand-in-hooks.mjs", import.meta.url, {
  data: { ending: "/render-svg.ts", url: new URL("./white-figures.ts", import.meta.url).href },
});
