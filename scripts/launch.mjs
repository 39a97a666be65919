// `node scripts/launch.mjs [--adapter=optional|none] <file.ts | bin> [arguments]`
//
// What every `npm run` of this project goes through: installs the modules when they are missing or stale, makes sure
// that a WebGPU adapter is there (unless none is needed), and runs the command. Built of Node's own modules alone, because
// nothing else is there yet. No static import and no recent syntax in this file: an old Node must get as far as the
// sentence below.
const [major, minor] = process.versions.node.split(".").map(Number);

if (major < 20 || (major === 20 && minor < 9)) {
  console.error(
    "bespoke: this needs Node 20.9 or newer and found " +
      process.versions.node +
      ": install a current Node (https://nodejs.org), then run the same command again.",
  );
  process.exitCode = 1;
} else {
  import("./setup/launcher.mjs").then((launcher) => launcher.launch(process.argv.slice(2)));
}
