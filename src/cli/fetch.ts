import { fetchFile, fetchRepository } from "../fetch/fetch.ts";
import {
  clothingFolder,
  clothingMarker,
  DATA_FOLDER,
  WEIGHTS_FOLDER,
  weightsMarker,
} from "../fetch/fetched.ts";
import { createFetchProgress } from "../fetch/progress.ts";
import { CLOTHING, weightsSource } from "../fetch/sources.ts";
import { encoderNamed } from "../layers/networks/encoders.ts";
import { runCommand } from "./run-command.ts";
import { fetchCommand } from "./definitions/fetch.ts";
import type { FetchFlags } from "./definitions/fetch.ts";

const command = fetchCommand();

await runCommand(command, async (interrupted) => {
  const { only, encoder: name, top, dataFolder, weightsFolder, force } = command.opts<FetchFlags>();
  const say = (sentence: string): void => void process.stdout.write(`${sentence}\n`);
  const options = { force, signal: interrupted, progress: createFetchProgress(process.stdout) };
  interrupted.addEventListener("abort", () =>
    say("What has arrived is kept: run the same command again to go on."),
  );
  const verdict = (already: boolean): string => (already ? "is already there" : "is there and verified");
  const hint = (given: string, usual: string, flag: string): string =>
    given === usual ? "" : `; train with ${flag}`;

  if (only !== "weights") {
    const folder = clothingFolder(dataFolder);
    say(`Data set: github.com/${CLOTHING.repository} to ${folder}`);
    const { already } = await fetchRepository(CLOTHING, {
      ...options,
      folder,
      marker: clothingMarker(dataFolder),
    });
    say(`The data set ${verdict(already)}${hint(dataFolder, DATA_FOLDER, `--data ${folder}`)}.`);
  }
  if (only !== "data") {
    const encoder = encoderNamed(name);
    const source = weightsSource(encoder, { top });
    const path = `${weightsFolder}/${source.name}`;
    say(`Weights: ${encoder.title} from ${new URL(source.url).host} to ${path}`);
    const { already } = await fetchFile(source, {
      ...options,
      folder: weightsFolder,
      marker: weightsMarker(weightsFolder, source),
    });
    say(
      `The weights are ${already ? "already there" : "there and verified"}${hint(weightsFolder, WEIGHTS_FOLDER, `--weights ${path}`)}.`,
    );
  }
});
