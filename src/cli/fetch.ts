import { Command, Option } from "commander";
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
import { DEFAULT_ENCODER, encoderNamed, ENCODERS } from "../layers/networks/encoders.ts";
import { runCommand } from "./run-command.ts";
import { userPath } from "./user-path.ts";

interface FetchFlags {
  only?: "data" | "weights";
  encoder: string;
  top?: boolean;
  dataFolder: string;
  weightsFolder: string;
  force?: boolean;
}

const command = new Command("fetch")
  .description(
    "Downloads the clothing photos with their masks and an encoder's ImageNet weights, verified by checksum; " +
      "stopped at any time, it goes on where it was.",
  )
  .addOption(new Option("--only <what>", "one of the two").choices(["data", "weights"]))
  .addOption(
    new Option("--encoder <name>", "whose weights")
      .choices(ENCODERS.map(({ name }) => name))
      .default(DEFAULT_ENCODER.name),
  )
  .option("--top", "the weights with the layers that tell ImageNet's classes apart")
  .option("--data-folder <folder>", "where data sets lie", userPath, DATA_FOLDER)
  .option("--weights-folder <folder>", "where weights lie", userPath, WEIGHTS_FOLDER)
  .option("--force", "check every file again and download what differs");

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
