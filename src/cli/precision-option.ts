import { InvalidArgumentError, Option } from "commander";
import { PRECISIONS, schema } from "../config/index.ts";
import type { Precision } from "../config/index.ts";
import { noteChoices } from "./option-choices.ts";

/** `--precision` of a command that trains nothing. */
export const precisionOption = (summary: string): Option =>
  noteChoices(
    new Option(`--precision <${PRECISIONS.join("|")}>`, summary).argParser(precisionOf),
    PRECISIONS,
  );

/** Reads the flag's value. */
export function precisionOf(text: string): Precision {
  const result = schema.shape.precision.safeParse(text);
  if (!result.success) throw new InvalidArgumentError(`It ${result.error.issues[0].message}.`);
  return result.data;
}
