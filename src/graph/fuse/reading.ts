/**
 * @file How a product gets at a tensor that may never be stored: as it lies somewhere, or made while it loads of what is
 * stored, by a batch norm with its activation, an activation alone, or the gradient of a standardization. The prologue of a
 * product; sums read what is normalized and activated so, too.
 */
import { activatedLoad, activationLoad, normGradientLoad, plainLoad } from "../../kernels/conv2d/load.ts";
import type { Begins, Load, Planes } from "../../kernels/conv2d/load.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Operand } from "../op.ts";
import { rangeOf } from "./place.ts";
import type { Place } from "./place.ts";

/** The planes of a batch norm, in a tensor that holds those of several; see norm-planes.ts. */
export interface NormPlanes extends Planes {
  readonly tensor: Tensor;
}

export type Reading =
  | { readonly kind: "stored"; readonly place: Place }
  | {
      readonly kind: "activated";
      readonly x: Place;
      /** Null where nothing is normalized. */
      readonly planes: NormPlanes | null;
      readonly activation: ActivationKind;
    }
  | {
      readonly kind: "normGradient";
      readonly gradient: Place;
      readonly x: Place;
      readonly coefficients: NormPlanes;
    };

/** `name` is the binding that the tensor itself would have. */
export function loadOfReading(reading: Reading, name: string, width: 4 | 1, begins?: Begins): Load {
  switch (reading.kind) {
    case "stored":
      return plainLoad(name, width, rangeOf(reading.place), begins);
    case "activated": {
      const { x, planes, activation } = reading;
      return planes
        ? activationLoad(name, width, rangeOf(x), { ...planes, activation }, begins)
        : activatedLoad(name, width, rangeOf(x), activation, begins);
    }
    case "normGradient": {
      const gradient = { name, range: rangeOf(reading.gradient) };
      const x = { name: "input", range: rangeOf(reading.x) };
      return normGradientLoad(width, gradient, x, reading.coefficients, begins);
    }
  }
}

/** What the bindings of {@link loadOfReading} are bound to. */
export function operandsOfReading(
  reading: Reading,
  name: string,
  range: BatchRange,
): Record<string, Operand> {
  switch (reading.kind) {
    case "stored":
      return { [name]: batchSlice(reading.place.home, range) };
    case "activated":
      return {
        [name]: batchSlice(reading.x.home, range),
        ...(reading.planes && { norm: reading.planes.tensor }),
      };
    case "normGradient":
      return {
        [name]: batchSlice(reading.gradient.home, range),
        input: batchSlice(reading.x.home, range),
        coefficients: reading.coefficients.tensor,
      };
  }
}

/** The images that it reads. */
export function imagesOf(reading: Reading): Tensor[] {
  switch (reading.kind) {
    case "stored":
      return [reading.place.home];
    case "activated":
      return [reading.x.home];
    case "normGradient":
      return [reading.gradient.home, reading.x.home];
  }
}

/** Everything that it reads. */
export function tensorsOf(reading: Reading): Tensor[] {
  const images = imagesOf(reading);
  if (reading.kind === "activated") return [...images, ...(reading.planes ? [reading.planes.tensor] : [])];
  if (reading.kind === "normGradient") return [...images, reading.coefficients.tensor];
  return images;
}
