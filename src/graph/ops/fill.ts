import { fillForward } from "../../kernels/fill.ts";
import type { Graph, Tensor } from "../graph.ts";
import type { Shape } from "../shape.ts";
import { lowerElementwise } from "../lowering/elementwise.ts";

/** The vectors of each graph that are already there, by length and value. */
const vectors = new WeakMap<Graph, Map<string, Tensor<"f32">>>();

/**
 * A tensor of one value everywhere (`tf.fill`), no variable: nothing asks for its gradient. Vectors of one length and value are
 * one tensor, filled once a run, whoever asks: γ of every batch norm without one.
 *
 * @throws Error when an extent is not a whole number from 1.
 */
export function fill(graph: Graph, shape: Shape, value: number): Tensor<"f32"> {
  if (shape.length !== 1) return filled(graph, shape, value);
  const known = vectors.get(graph) ?? new Map<string, Tensor<"f32">>();
  vectors.set(graph, known);
  const key = `${shape[0]} ${value}`;
  const vector = known.get(key) ?? filled(graph, shape, value);
  known.set(key, vector);
  return vector;
}

function filled(graph: Graph, shape: Shape, value: number): Tensor<"f32"> {
  return graph.apply(
    {
      name: "fill",
      family: "copy",
      outputs: [{ shape, dtype: "f32" }],
      constant: value,
      lower: (l, [y]) => lowerElementwise(l, (target, count) => fillForward(target, count, value), { y }),
    },
    [],
  ).outputs[0];
}
