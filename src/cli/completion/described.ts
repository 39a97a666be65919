import type { Command, Option } from "commander";
import { choicesOf } from "../option-choices.ts";

/** A program as shells complete it. */
export interface Described {
  readonly name: string;
  /** One line. */
  readonly description: string;
  readonly flags: readonly DescribedFlag[];
  /** What an argument that is no flag may be; files where it is empty. */
  readonly choices: readonly string[];
}

export interface DescribedFlag {
  /** `--config`. */
  readonly long: string;
  readonly description: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** What the value may be; files where it is empty. */
  readonly choices: readonly string[];
}

/** What commander's definition of a program says to shells; hidden flags are left out. */
export function describe(command: Command): Described {
  const { commands } = command;
  const flags = new Map<string, DescribedFlag>();
  for (const { options } of [command, ...commands])
    for (const option of options)
      // Of programs within a program all flags are offered, each once.
      if (!option.hidden && option.long) flags.set(option.long, flagOf(option));
  return {
    name: command.name(),
    description: oneLine(command.description()),
    flags: [
      ...flags.values(),
      { long: "--help", description: "say how it is used", takesValue: false, choices: [] },
    ],
    choices: [
      ...commands.map((within) => within.name()),
      ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ],
  };
}

function flagOf(option: Option): DescribedFlag {
  return {
    long: option.long!,
    description: oneLine(option.description),
    takesValue: option.required || option.optional,
    choices: choicesOf(option),
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
