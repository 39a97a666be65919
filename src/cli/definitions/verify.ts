import { Command } from "commander";
import { userPath } from "../user-path.ts";

export interface VerifyFlags {
  readonly quick?: true;
}

/** What `verify` takes and says of itself; `src/cli/verify.ts` is what it does. */
export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Looks whether all shards of photos were labelled, and whether every output is as it was written.",
    )
    .argument("<folder>", "the --out of predict --list, --tar or --shard, or of queue", userPath)
    .option("--quick", "compare sizes alone, not contents");
}
