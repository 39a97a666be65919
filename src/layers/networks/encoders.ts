import { denseNet121, denseNet169, denseNet201 } from "./densenet.ts";
import { efficientNetB0 } from "./efficientnet-b0.ts";
import type { Encoder } from "./encoder.ts";
import { inceptionV3 } from "./inception-v3.ts";
import { mobileNetV2 } from "./mobilenet-v2.ts";
import { nasNetMobile } from "./nasnet-mobile.ts";
import { resNet50 } from "./resnet50.ts";

/** Every encoder there is, the default first. */
export const ENCODERS: readonly Encoder[] = [
  denseNet121,
  denseNet169,
  denseNet201,
  resNet50,
  mobileNetV2,
  efficientNetB0,
  inceptionV3,
  nasNetMobile,
];

/** As `--encoder` has them. */
export const ENCODER_NAMES = ENCODERS.map(({ name }) => name);

/** Of a network that does not say which it has. */
export const DEFAULT_ENCODER = denseNet121;

/** @throws Error listing the encoders there are, when none is called so */
export function encoderNamed(name: string): Encoder {
  const encoder = ENCODERS.find((each) => each.name === name);
  if (encoder !== undefined) return encoder;
  throw new Error(`There is no encoder ${JSON.stringify(name)}; there are ${ENCODER_NAMES.join(", ")}.`);
}
