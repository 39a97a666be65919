// `node --import=<this file>` has plain overlays in place of drawn ones; see plain-overlay.ts.
import { register } from "node:module";

register("./stand-in-hooks.mjs", import.meta.url, {
  data: { ending: "/overlay.ts", url: new URL("./plain-overlay.ts", import.meta.url).href },
});
