/**
 * @file What `scripts/bespoke.mjs` starts of the installed package. Of all other files only what needs no module is imported
 * before what follows is there to say which one is missing.
 */
import { missingModule } from "../../scripts/setup/missing-module.mjs";

try {
  const { bespoke } = await import("./bespoke.ts");
  await bespoke(process.argv.slice(2));
} catch (error) {
  const sentence = missingModule(error);
  if (sentence === null) throw error;
  process.stderr.write(`bespoke: ${sentence}\n`);
  process.exitCode = 1;
}
