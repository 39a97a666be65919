import { InvalidArgumentError, Option } from "commander";
import { precision, PRECISIONS } from "../config/index.ts";
import type { Precision } from "../config/index.ts";

/** `--precision` of a command that trains nothing. */
export const precisionOption = (summary: string): Option =>
  new Option(`--precision <${PRECISIONS.join("|")}>`, summary).argParser(precisionOf);

/** Reads the flag's value. */
export function precisionOf(text: string): Precision {
  const result = precision().safeParse(text);
  if (result.success) return result.data;
  throw new InvalidArgumentError(`It ${result.error.issues[0].message}.`);
}
