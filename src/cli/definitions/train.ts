import { Command, InvalidArgumentError, Option } from "commander";
import { CARD_NAMES } from "../../train/forecast/predict/cards.ts";
import type { CardName } from "../../train/forecast/predict/cards.ts";
import { portNumber } from "../port.ts";
import { addSettingOptions } from "../setting-options.ts";
import { userModel, userPath } from "../user-path.ts";

export interface TrainFlags {
  readonly config?: string;
  readonly resume?: string;
  readonly dryRun?: true;
  readonly predict?: CardName;
  readonly ui?: true | number;
  readonly ranks?: number;
}

const GENERAL = "General";

function numberOfRanks(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError("It must be a whole number from 1.");
}

/** What `train` takes and says of itself; `src/cli/train.ts` is what it does. */
export function trainCommand(): Command {
  const command = new Command("train")
    .description(
      "Trains a U-Net on an encoder of keras.applications: with a part frozen, the encoder by default, then everything. What is not said comes from the " +
        "configuration file, then from the preset.",
    )
    .addOption(
      new Option("--config <FILE>", "YAML or JSON file of settings").argParser(userPath).helpGroup(GENERAL),
    )
    .addOption(
      new Option("--resume <RUN>", "go on with a run that was interrupted")
        .argParser(userModel)
        .helpGroup(GENERAL),
    )
    .addOption(
      new Option("--dry-run", "say what would be done and how long it takes, then end").helpGroup(GENERAL),
    )
    .addOption(
      new Option("--predict <CARD>", "with --dry-run: how long a step would take a card that is not here")
        .choices(CARD_NAMES)
        .helpGroup(GENERAL),
    )
    .addOption(
      new Option("--ui [PORT]", "serve a live page of the run on this machine")
        .argParser(portNumber)
        .helpGroup(GENERAL),
    )
    .addOption(
      new Option("--ranks <N>", "share each batch out among N processes of this machine, by MPI")
        .argParser(numberOfRanks)
        .helpGroup(GENERAL),
    );
  command.addHelpOption(new Option("-h, --help", "say all this").helpGroup(GENERAL));
  addSettingOptions(command);
  return command;
}
