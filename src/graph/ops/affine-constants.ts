import { affineConstantsForward } from "../../kernels/affine-constants.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { shapeText, sizeOf } from "../shape.ts";

/** More channels than photos have would make a long shader. */
const MOST_CHANNELS = 16;

/**
 * `x·scale + offset` with a number for each channel that is known when the graph is built, or one for all (Keras `Rescaling`;
 * `Normalization` with scale 1/√variance and offset −mean/√variance): `x` `[N, .., C]`, of up to 16 channels.
 *
 * @throws Error when there are more channels, as many numbers as channels are not given, or one is not finite.
 */
export function affineConstants(
  x: Tensor,
  scale: number | readonly number[],
  offset: number | readonly number[],
): Tensor {
  const channels = x.shape[x.shape.length - 1];
  if (x.shape.length < 2 || channels > MOST_CHANNELS) {
    throw new Error(
      `affineConstants takes a batch of up to ${MOST_CHANNELS} channels, [N, .., C]; "${x.name}" is ${shapeText(x.shape)}.`,
    );
  }
  const numbers = (name: string, given: number | readonly number[]): readonly number[] => {
    const all = typeof given === "number" ? new Array<number>(channels).fill(given) : given;
    if (all.length !== channels || !all.every(Number.isFinite)) {
      throw new Error(
        `affineConstants: ${name} must be one finite number or ${channels}, as many as "${x.name}" has channels, not ` +
          `${all.join(", ") || "none"}.`,
      );
    }
    return all;
  };
  const [factors, terms] = [numbers("scale", scale), numbers("offset", offset)];
  const pixelsPerItem = sizeOf(x.shape.slice(1, -1));
  return x.graph.apply(
    {
      name: "affine_constants",
      family: "elementwise",
      outputs: [x],
      lower(l, [y]) {
        for (const range of l.slices([x, y])) {
          const kernel = affineConstantsForward(l.target, range.count * pixelsPerItem, factors, terms);
          l.dispatch(kernel, { x: batchSlice(x, range), y: batchSlice(y, range) });
        }
      },
      gradient: ([dy]) => [() => affineConstants(dy!, factors, 0)],
    },
    [x],
  ).outputs[0];
}
