import { Command, Option } from "commander";
import { DATA_FOLDER, WEIGHTS_FOLDER } from "../../fetch/fetched.ts";
import { DEFAULT_ENCODER, ENCODERS } from "../../layers/networks/encoders.ts";
import { userPath } from "../user-path.ts";

export interface FetchFlags {
  only?: "data" | "weights";
  encoder: string;
  top?: boolean;
  dataFolder: string;
  weightsFolder: string;
  force?: boolean;
}

/** What `fetch` takes and says of itself; `src/cli/fetch.ts` is what it does. */
export function fetchCommand(): Command {
  return new Command("fetch")
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
}
