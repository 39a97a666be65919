import type { Key } from "./declared.ts";

/** What the pixels of a data set's masks become. */
export interface Labelling {
  /** The class that each number in a sample's mask means. */
  readonly classNames: readonly string[];
  /** Whether some key does not count. */
  readonly ignores: boolean;
  /** What a mask's keys are; `labels` are painted. */
  readonly keys: "values" | "colours" | "labels";
  /** The class of each key, or `IGNORE`. */
  readonly classes: ReadonlyMap<Key, number>;
  /** What becomes of every other key; undefined where others are a mistake. */
  readonly others?: number | undefined;
}

/** A labelling as data: what tells it from any other. */
export const labellingRecord = ({ keys, classes, others }: Labelling): readonly unknown[] => [
  keys,
  [...classes],
  others ?? null,
];

/** Whether a mask's number is its class and every pixel counts, as it was before there were other labellings. */
export const isPlain = ({ keys, classes, classNames, ignores, others }: Labelling): boolean =>
  keys === "values" &&
  !ignores &&
  others === undefined &&
  classes.size === classNames.length &&
  [...classes].every(([key, label]) => key === label);

/** `#ff8000` */
export const colourText = (colour: number): string => `#${colour.toString(16).padStart(6, "0")}`;

/** A key as messages call it: `value 3`, `colour #ff8000`, `label "hat"`. */
export function keyText(key: Key, keys: Labelling["keys"]): string {
  if (keys === "labels") return `label ${JSON.stringify(key)}`;
  return keys === "colours" ? `colour ${colourText(Number(key))}` : `value ${key}`;
}

/** The labelling of masks whose numbers are the classes: names, or how many. */
export function plainLabelling(classes: number | readonly string[]): Labelling {
  const classNames =
    typeof classes === "number" ? Array.from({ length: classes }, (_, label) => `class ${label}`) : classes;
  return {
    classNames,
    ignores: false,
    keys: "values",
    classes: new Map(classNames.map((_, label) => [label, label])),
  };
}
