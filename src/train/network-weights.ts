import type { Shape } from "../graph/shape.ts";
import type { VariableFilter } from "../graph/variables.ts";
import { isDecoderGroup } from "../layers/unet.ts";
import { assignWeights } from "../weights/assign.ts";
import { AVERAGE } from "./phase/averaging.ts";
import type { NamedTensors } from "../weights/tensors.ts";

/** Tells the names and shapes of the variables of a network that a filter picks. */
export type NetworkShapes = (which: VariableFilter) => Map<string, Shape>;

/**
 * What a file's tensors are to a network: all of it, or of an encoder's file the encoder.
 *
 * @param source what the file is called in messages
 * @param options.head whether the network's head is taken too; it is by default
 * @throws WeightsError that names the tensor that is missing or misshapen
 */
export function networkWeights(
  shapes: NetworkShapes,
  tensors: NamedTensors,
  source: string,
  { head = true }: { head?: boolean } = {},
): NamedTensors {
  const network = shapes(
    (_, group) => group !== "optimizer" && group !== AVERAGE && (head || group !== "head"),
  );
  const expected = [...network].map(([name, shape]) => ({ name, shape }));
  // A file of encoder weights has none of them.
  const decoder = shapes((_, group) => isDecoderGroup(group));
  const whole = [...tensors.keys()].some((name) => decoder.has(name));
  return assignWeights(expected, tensors, {
    source,
    allowMissing: whole ? undefined : (name) => decoder.has(name),
  }).assigned;
}
