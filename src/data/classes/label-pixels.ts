import { DataError } from "../data-error.ts";
import { place } from "../mask-values.ts";
import type { MaskValues } from "../mask-values.ts";
import { colourText, keyText } from "./labelling.ts";
import type { Labelling } from "./labelling.ts";

/** The numbers of a mask and where they are from. */
export interface FoundValues extends MaskValues {
  readonly file: string;
  readonly width: number;
}

/** Where a value has no class. */
const NONE = -1;
/** Values that are looked up in an array. */
const TABLE = 65_536;

/**
 * The class, or `IGNORE`, of each pixel of a mask.
 *
 * @throws DataError for a value that the labelling does not know
 */
export function labelPixels(found: FoundValues, labelling: Labelling): Uint8Array {
  const { values } = found;
  const { classes, others = NONE } = labelling;
  const table = new Int16Array(TABLE).fill(others);
  for (const [key, label] of classes) if (typeof key === "number" && key < TABLE) table[key] = label;
  const labels = new Uint8Array(values.length);
  for (let i = 0; i < labels.length; i++) {
    const value = values[i];
    // Of a matrix, numbers may be negative or broken.
    const label = table[value] ?? classes.get(value) ?? others;
    if (label < 0) throw unknown(found, value, i, labelling);
    labels[i] = label;
  }
  return labels;
}

function unknown(
  { file, width, hint }: FoundValues,
  value: number,
  i: number,
  labelling: Labelling,
): DataError {
  const { classNames, keys } = labelling;
  const at = `at pixel ${place(i, width)}, counted from the top left`;
  const line = `${keys === "colours" ? colourText(value) : value},CLASS`;
  const numbers =
    keys === "values" && [...labelling.classes.keys()].every((key) => Number(key) < classNames.length);
  const mend =
    hint !== undefined || numbers
      ? `${hint ?? "use"} the classes 0 to ${classNames.length - 1} only`
      : `use those of the ${classNames.length} classes only`;
  return new DataError(
    `The mask ${file} has ${numbers ? `class ${value}` : keyText(value, keys)} ${at}: ${mend}, or say what it is with --label-map, a ` +
      `file with the line ${line} or ${line.replace("CLASS", "ignore")}.`,
  );
}
