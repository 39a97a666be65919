import { printable } from "../files/printable.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import { ENCODERS } from "../layers/networks/encoders.ts";
import type { Metadata } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";

/**
 * The encoder that a file's metadata name; undefined where they name none.
 *
 * @param source what the file is called in messages
 * @throws {WeightsError} where there is no encoder of that name
 */
export function saidEncoder({ encoder: said }: Metadata, source: string): Encoder | undefined {
  if (said === undefined) return undefined;
  const encoder = ENCODERS.find(({ name }) => name === said);
  if (encoder !== undefined) return encoder;
  const names = ENCODERS.map(({ name }) => name).join(", ");
  throw new WeightsError(
    `${source} says that its encoder is "${printable(said, 100)}", which is not known here: ${names} are.`,
  );
}
