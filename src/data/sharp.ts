import { createRequire } from "node:module";
import type sharpModule from "sharp";

/** sharp by way of CommonJS: its ES module has an import attribute, and Node 20.9 knows none. */
export const sharp = createRequire(import.meta.url)("sharp") as typeof sharpModule;
