import { printable } from "../files/printable.ts";
import { formatShape, type NamedTensors } from "./tensors.ts";
import { WeightsError } from "./weights-error.ts";

/** A weight that a network has. */
export interface ExpectedWeight {
  /** As Keras names it, e.g. `conv1/conv/kernel`. */
  readonly name: string;
  /** In Keras's layout. */
  readonly shape: readonly number[];
}

/** What was found of the weights that a network expects. */
export interface AssignedWeights {
  /** The expected weights that were found, in the order expected. */
  readonly assigned: NamedTensors;
  /** The expected weights that are missing and may be. */
  readonly missing: string[];
  /** The names of the tensors that nothing asked for. */
  readonly unused: string[];
}

/**
 * Finds a tensor of the right shape for every weight that a network expects.
 *
 * @param tensors what a weights file holds
 * @param options.source what the weights are called in messages, their path as a rule
 * @param options.allowMissing says which weights may be missing, none by default (a wrong shape is never allowed)
 * @throws {WeightsError} naming the first tensor that is missing or misshapen and how many more there are
 */
export function assignWeights(
  expected: readonly ExpectedWeight[],
  tensors: NamedTensors,
  options: { source: string; allowMissing?: (name: string) => boolean },
): AssignedWeights {
  const { source, allowMissing = () => false } = options;
  const assigned: NamedTensors = new Map();
  const missing: string[] = [];
  const problems: string[] = [];
  for (const { name, shape } of expected) {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      if (allowMissing(name)) missing.push(name);
      else problems.push(`has no tensor "${name}" (expected shape ${formatShape(shape)})`);
    } else if (formatShape(tensor.shape) !== formatShape(shape)) {
      const shapes = `has shape ${formatShape(tensor.shape)} where ${formatShape(shape)} is expected`;
      problems.push(`does not fit: its tensor "${name}" ${shapes}`);
    } else if (!(tensor.data instanceof Float32Array)) {
      problems.push(`does not fit: its tensor "${name}" holds integers where float32 is expected`);
    } else {
      assigned.set(name, tensor);
    }
  }
  if (problems.length > 0) {
    const others = problems.length - 1;
    const more = others === 0 ? "" : `, and ${others} more of ${expected.length} do not fit`;
    const example = assigned.size > 0 ? undefined : tensors.keys().next().value;
    const instead =
      example === undefined ? "" : ` (what it has is called "${printable(example, 100)}" and the like)`;
    throw new WeightsError(
      `The weights file ${source} ${problems[0]}${more}${instead}; use weights saved from the same network.`,
    );
  }
  const wanted = new Set(expected.map(({ name }) => name));
  const unused = [...tensors.keys()].filter((name) => !wanted.has(name));
  return { assigned, missing, unused };
}
