import type { Option } from "commander";

const known = new WeakMap<Option, readonly string[]>();

/** Notes what a flag's value may be where commander is not to check it: a setting's schema does that, and says so better. */
export function noteChoices(option: Option, choices: readonly string[]): Option {
  known.set(option, choices);
  return option;
}

/** What a flag's value may be, by name; empty where it may be anything. */
export const choicesOf = (option: Option): readonly string[] => option.argChoices ?? known.get(option) ?? [];
