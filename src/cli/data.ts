import { basename, join, resolve } from "node:path";
import { resolveConfig } from "../config/index.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { inspect } from "../inspect/inspect.ts";
import { reportText } from "../inspect/text.ts";
import { writeJson } from "../runs/run-folder.ts";
import { makeFolderOfOutput } from "../use/output-folder.ts";
import { runCommand } from "./run-command.ts";
import { saidOnCommandLine } from "./setting-options.ts";
import { dataCommand, SETTINGS } from "./definitions/data.ts";
import type { DataFlags } from "./definitions/data.ts";

/** Where what was counted is kept from one look to the next, as a run keeps it. */
const CACHE = ".cache/samples";

const command = dataCommand();

await runCommand(command, async (interrupted) => {
  const { json, picture, cache } = command.opts<DataFlags>();
  const [path] = command.processedArgs as [string];
  const said = Object.fromEntries(SETTINGS.map((name) => [name, saidOnCommandLine(command)[name]]));
  const config = resolveConfig([{ file: null, said }], "lavapipe");
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  if (json !== undefined) await makeFolderOfOutput(json, "--json");
  const { report, picture: draw } = await inspect(path, config, {
    cacheFolder: cache ? CACHE : null,
    signal: interrupted,
    onProgress: (done, all) => showProgress(`${done}/${all} photos`),
  });
  showProgress("");
  say(reportText(report));
  say("");
  if (json !== undefined) {
    await writeJson(json, report);
    say(`Written: ${json}`);
  }
  if (picture !== false && draw !== null) {
    const file = picture ?? join("runs", `data-${basename(resolve(path))}.png`);
    await makeFolderOfOutput(file, "--picture");
    await writeFileAtomically(file, [await draw()]);
    say(`Written: ${file}`);
  }
  say(report.usable ? "It can be trained on." : "It cannot be trained on as it is.");
  if (!report.usable) process.exitCode = 1;
});

/** Replaces the terminal's last line; says nothing where nobody watches. */
function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}
