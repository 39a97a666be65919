import { denseNet121, denseNet169, denseNet201 } from "./densenet.ts";
import type { Encoder } from "./encoder.ts";

/** Every encoder there is. */
export const ENCODERS: readonly Encoder[] = [denseNet121, denseNet169, denseNet201];

/** Of a network that does not say which it has. */
export const DEFAULT_ENCODER = denseNet121;

/** @throws Error listing the encoders there are, when none is called so */
export function encoderNamed(name: string): Encoder {
  const encoder = ENCODERS.find((each) => each.name === name);
  if (encoder !== undefined) return encoder;
  const names = ENCODERS.map((each) => each.name).join(", ");
  throw new Error(`There is no encoder ${JSON.stringify(name)}; there are ${names}.`);
}
