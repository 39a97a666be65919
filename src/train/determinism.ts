import { trainingBatches } from "../data/batches.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { Variables } from "../graph/variables.ts";
import { PhaseSteps } from "./phase/phase-steps.ts";
import { phasesOf } from "./trainer-options.ts";
import { phaseName } from "../runs/phase.ts";
import type { TrainerData } from "./trainer-data.ts";
import type { TrainerOptions } from "./trainer-options.ts";

/** The adapter gave other bits for the same work. */
export class NondeterminismError extends Error {
  override readonly name = "NondeterminismError";
}

/**
 * Makes the first step twice from the same beginning and compares every variable bit by bit. No kernel of a step uses atomics
 * or leaves an order open, so equal work gives equal bits unless the adapter's driver is at fault.
 *
 * @throws NondeterminismError naming the first variable that differs.
 */
export async function checkDeterminism(
  gpu: Gpu,
  options: TrainerOptions,
  { training, classWeights }: TrainerData,
): Promise<void> {
  const phase = phasesOf(options).at(-1)!;
  const { batchSize, seed, augment, normalization } = options;
  const batches = trainingBatches(training, {
    batchSize,
    seed,
    augment,
    normalization,
    dropRemainder: false,
  });
  const { value: batch } = await batches.next();
  await batches.return();
  if (!batch) return;
  const once = async (): Promise<Map<string, Uint32Array>> => {
    const variables = new Variables(gpu, { seed });
    try {
      const spec = { ...options, batchSize: batch.count, ranks: undefined };
      const steps = await PhaseSteps.create(gpu, variables, spec, phase, classWeights);
      try {
        const learningRate = options.learningRate[phase];
        await steps.run(await steps.prepare(batch), { learningRate, step: 0 });
        const values = await variables.readAll();
        return new Map([...values].map(([name, { data }]) => [name, new Uint32Array(data.buffer)]));
      } finally {
        steps.destroy();
      }
    } finally {
      variables.destroy();
    }
  };
  const [first, second] = [await once(), await once()];
  const differing = [...first].find(
    ([name, bits]) => !second.get(name)!.every((word, i) => word === bits[i]),
  );
  if (differing)
    throw new NondeterminismError(differs(gpu, differing[0], phaseName(phase, options.freeze ?? "encoder")));
}

const differs = (gpu: Gpu, name: string, phase: string): string =>
  `${gpu.adapterName} is not deterministic: the first step (${phase}), made twice, ` +
  `left different bits in "${name}"; choose another --adapter or leave out --deterministic.`;
