import type { Command } from "commander";
import { bashScript } from "./bash.ts";
import { describe } from "./described.ts";
import type { Described } from "./described.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Record<Shell, (programs: readonly Described[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/**
 * What a shell has to run to complete `bespoke`: written out once of the definitions, so that pressing Tab starts no Node.
 * (Libraries such as omelette and tabtab ask the program at each Tab, and write into the user's files to be installed.)
 */
export const completionScript = (shell: Shell, commands: readonly Command[]): string =>
  SCRIPTS[shell](commands.map(describe));
