// `node --import=<this file>` has the small U-Net in place of the real one; see small-network.ts.
import { register } from "node:module";

register("./small-unet-hooks.mjs", import.meta.url);
