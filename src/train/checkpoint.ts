import type { Variables } from "../graph/variables.ts";
import { assignWeights } from "../weights/assign.ts";
import { loadWeights } from "../weights/load.ts";
import { writeSafetensors } from "../weights/safetensors-file.ts";
import type { HostTensor } from "../weights/tensors.ts";
import { isOptimizerSlot } from "./programs.ts";

/** The decoder's variables, which a file of encoder weights does not have. */
const isDecoder = (name: string): boolean => /^(upsample_\d+|head)\//.test(name);

/** Writes the network's weights and moving statistics (no optimizer's slots) by rename, so never a half file. */
export async function saveCheckpoint(
  variables: Variables,
  path: string,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const tensors = new Map<string, HostTensor>();
  for (const [name, shape] of variables.shapes()) {
    if (!isOptimizerSlot(name)) tensors.set(name, { shape, data: await variables.read(name) });
  }
  await writeSafetensors(path, tensors, metadata);
}

/**
 * Fills the variables from a file of weights: a whole network, or an encoder (then the decoder keeps its first values).
 *
 * @throws Error that names the tensor that is missing or misshapen.
 */
export async function restoreWeights(variables: Variables, path: string): Promise<{ loaded: number }> {
  const { tensors } = await loadWeights(path);
  const expected = [...variables.shapes()]
    .filter(([name]) => !isOptimizerSlot(name))
    .map(([name, shape]) => ({ name, shape }));
  const whole = [...tensors.keys()].some(isDecoder);
  const { assigned } = assignWeights(expected, tensors, {
    source: path,
    allowMissing: whole ? undefined : isDecoder,
  });
  for (const [name, { data }] of assigned) variables.write(name, data as Float32Array);
  return { loaded: assigned.size };
}
