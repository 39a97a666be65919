import { clipByNorm } from "../../kernels/clip-by-norm.ts";
import { tensorsAtOnce } from "../../kernels/text/several-tensors.ts";
import type { Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import { globalNorm } from "./global-norm.ts";
import { groupsByLane, lengthOf, partsOf } from "../lowering/tensor-groups.ts";

/** Gradients that were clipped. */
export interface ClippedGradients {
  /** Of each parameter, of its shape. */
  readonly gradients: Map<Tensor, Tensor>;
  /** The global norm before clipping, a scalar. */
  readonly norm: Tensor;
}

/**
 * Scales all gradients alike so that their {@link globalNorm} is at most `clipNorm` (Keras `global_clipnorm`,
 * `tf.clip_by_global_norm`). Below it they are left as they are, bit by bit; where the norm is not finite neither is any
 * gradient returned, so look at `norm` (before clipping) as an output of the program.
 *
 * @param gradients of each parameter, as `gradients(loss)` returns them.
 * @throws Error when `clipNorm` is not a positive number, or there is no gradient.
 */
export function clipByGlobalNorm(gradients: ReadonlyMap<Tensor, Tensor>, clipNorm: number): ClippedGradients {
  if (!(clipNorm > 0 && Number.isFinite(clipNorm))) {
    throw new Error(`clipByGlobalNorm takes a norm above 0, and ${clipNorm} is not.`);
  }
  const tensors = [...gradients.values()];
  const norm = globalNorm(tensors);
  const clipped = clip(tensors, norm, clipNorm);
  return { gradients: new Map([...gradients.keys()].map((parameter, i) => [parameter, clipped[i]])), norm };
}

function clip(tensors: readonly Tensor[], norm: Tensor, clipNorm: number): readonly Tensor[] {
  return norm.graph.apply(
    {
      name: "clip_by_global_norm",
      family: "optimizer",
      outputs: tensors.map(({ shape }) => ({ shape, dtype: "f32" })),
      lower(l, outputs) {
        const parts = tensors.flatMap((x, i) =>
          partsOf(l, [x]).map((part) => ({ x: part, y: batchSlice(outputs[i], part.range) })),
        );
        const length = ({ x }: (typeof parts)[number]): number => lengthOf(x);
        for (const group of groupsByLane(tensorsAtOnce(l.target, 2, 1), parts, length)) {
          const bound = group.flatMap(({ x, y }, i) => [[`x${i}`, x] as const, [`y${i}`, y] as const]);
          const kernel = clipByNorm(l.target, group.map(length), clipNorm);
          l.dispatch(kernel, { norm, ...Object.fromEntries(bound) });
        }
      },
    },
    [...tensors, norm],
  ).outputs;
}
