#!/usr/bin/env node
// `bespoke [program] [arguments]`
//
// What `npx bespoke` runs of the installed package: makes sure that a WebGPU adapter is there, where the program needs one,
// and runs it.
import { refuseOldNode } from "./setup/node-version.mjs";

if (!refuseOldNode()) {
  import("./setup/installed-launcher.mjs").then((launcher) => launcher.launch(process.argv.slice(2)));
}
