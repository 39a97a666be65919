import { checkNames } from "../files/class-table.ts";
import type { Metadata } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";

/**
 * The names of a network's classes as its file says them, in the order of their ids; undefined where it says none.
 *
 * @param classes how many the network has
 * @param source what the file is called in messages
 * @throws {FileError} where it names more or fewer, or one twice
 */
export function classNamesOf(
  { classes: json }: Metadata,
  classes: number,
  source: string,
): string[] | undefined {
  if (json === undefined) return undefined;
  let names: unknown;
  try {
    names = JSON.parse(json);
  } catch {
    names = null;
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
    throw new WeightsError(
      `${source} does not name its ${classes} classes: its metadata "classes" must be a JSON array of as many names.`,
    );
  }
  if (names.length !== classes) {
    throw new WeightsError(
      `${source} does not name its ${classes} classes, but ${names.length}: its metadata "classes" must be a JSON array of as ` +
        "many names.",
    );
  }
  checkNames(
    names.map((name, label) => ({ where: `${source}, metadata "classes"`, label, name: name.trim() })),
  );
  return names;
}

/** The classes that are named in two lists and not alike, by their ids; `class 7`, for class 7, is no name. */
export function namedOtherwise(names: readonly string[], others: readonly string[]): number[] {
  const unnamed = (name: string | undefined, label: number): boolean =>
    name === undefined || name === `class ${label}`;
  return [...names.keys()].filter(
    (label) =>
      names[label] !== others[label] && !unnamed(names[label], label) && !unnamed(others[label], label),
  );
}
