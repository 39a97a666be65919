// `node --import=<this file>` has the small U-Net in place of the real one; see small-network.ts.
import { register } from "node:module";

register("./stand-in-hooks.mjs", import.meta.url, {
  data: { ending: "/layers/unet.ts", url: new URL("./small-unet-module.ts", import.meta.url).href },
});
