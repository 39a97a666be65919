// `node scripts/launch.mjs [--adapter=optional|none] <file.ts | bin> [arguments]`
//
// What every `npm run` of this checkout goes through: installs the modules when they are missing or stale, makes sure
// that a WebGPU adapter is there (unless none is needed), and runs the command. Built of Node's own modules alone, because
// nothing else is there yet. In the installed package there is `bespoke.mjs` in its place.
import { refuseOldNode } from "./setup/node-version.mjs";

if (!refuseOldNode()) {
  import("./setup/launcher.mjs").then((launcher) => launcher.launch(process.argv.slice(2)));
}
