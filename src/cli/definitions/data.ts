import { Command } from "commander";
import type { SettingName } from "../../config/index.ts";
import { addSettingOptions } from "../setting-options.ts";
import { userPath } from "../user-path.ts";

export interface DataFlags {
  readonly json?: string;
  readonly picture?: string | false;
  readonly cache: boolean;
}

/** The settings of a run that say how its data are read. */
export const SETTINGS: readonly SettingName[] = [
  ...(["format", "classes", "labelMap", "ignoreLabel", "lossyMasks", "splitSeed"] as const),
];

/** What `data` takes and says of itself; `src/cli/data.ts` is what it does. */
export function dataCommand(): Command {
  const command = new Command("data")
    .description(
      "Looks at photos and their labels, trains nothing, and says what they hold and what is wrong with them.",
    )
    .argument(
      "<path>",
      "a folder, or the file of a labelling tool, in any format that train --data takes",
      userPath,
    )
    .option("--json <file>", "write everything to this file", userPath)
    .option(
      "--picture <file>",
      "write samples and classes to this PNG; data-NAME.png in runs/ by default",
      userPath,
    )
    .option("--no-picture", "draw none")
    .option("--no-cache", "keep nothing in .cache/samples");
  addSettingOptions(command, SETTINGS);
  return command;
}
