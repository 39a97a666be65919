import { createRequire } from "node:module";

const { version } = createRequire(import.meta.url)("webgpu/package.json") as { version: string };

/** Of the package `webgpu`, Dawn's bindings for Node. */
export const DAWN_VERSION = version;
