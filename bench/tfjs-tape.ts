/** @file The backward pass of something tfjs has computed, alone: `tf.grads` would compute the forward pass each time. */
import * as tf from "@tensorflow/tfjs-core";
// For its side effect: it registers the gradients of tfjs-core's ops.
import "@tensorflow/tfjs-layers";

/** An op that tfjs's engine wrote down; the fields that its own backward pass uses. */
interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, tf.Tensor>>;
  readonly outputs: readonly tf.Tensor[];
  readonly saved: readonly tf.Tensor[];
  readonly gradient?: (dys: (tf.Tensor | null)[]) => Record<string, () => tf.Tensor>;
}

/** Of tfjs's engine what its types keep to themselves. */
interface Engine {
  readonly state: { activeTape: TapeNode[] | null };
  startTape(): void;
  endTape(): void;
}

export interface Tape {
  /** Of the result. */
  readonly shape: number[];
  /** The gradients of `wrt` for the gradient `dy` of the result; the caller disposes them. */
  backward(dy: tf.Tensor, wrt: readonly tf.Tensor[]): tf.Tensor[];
  dispose(): void;
}

/** Computes `f` once and remembers what its gradients need. */
export function recordTape(f: () => tf.Tensor): Tape {
  const engine = tf.engine() as unknown as Engine;
  let tape: TapeNode[] = [];
  let y!: tf.Tensor;
  tf.tidy(() => {
    engine.startTape();
    try {
      y = f();
      tape = engine.state.activeTape!;
    } finally {
      engine.endTape();
      engine.state.activeTape = null;
    }
  });
  return {
    shape: y.shape,
    backward: (dy, wrt) => tf.tidy(() => backward(tape, y.id, dy, wrt)),
    dispose: () => tf.dispose(tape.flatMap(({ saved }) => saved as tf.Tensor[])),
  };
}

/** As tfjs's own `backpropagateGradients`: gradients are computed for what depends on `wrt` and for nothing else. */
function backward(
  tape: readonly TapeNode[],
  result: number,
  dy: tf.Tensor,
  wrt: readonly tf.Tensor[],
): tf.Tensor[] {
  const active = new Set(wrt.map(({ id }) => id));
  const onTheWay = tape.filter(({ inputs, outputs }) => {
    if (!Object.values(inputs).some(({ id }) => active.has(id))) return false;
    for (const { id } of outputs) active.add(id);
    return true;
  });
  const sums = new Map<number, tf.Tensor>([[result, dy]]);
  for (const { kernelName, inputs, outputs, gradient } of onTheWay.reverse()) {
    if (!outputs.some(({ id }) => sums.has(id))) continue;
    if (!gradient) throw new Error(`tfjs has no gradient of ${kernelName}`);
    const thunks = gradient(outputs.map(({ id }) => sums.get(id) ?? null));
    for (const [name, { id }] of Object.entries(inputs)) {
      if (!active.has(id)) continue;
      const term = tf.tidy(thunks[name]);
      const sum = sums.get(id);
      sums.set(id, sum ? tf.add(sum, term) : term);
    }
  }
  return wrt.map(({ id }, i) => {
    const sum = sums.get(id);
    if (!sum) throw new Error(`the result does not depend on input ${i}`);
    return sum;
  });
}
