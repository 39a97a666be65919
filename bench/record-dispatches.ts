/** A dispatch as a compute pass was given it. */
export interface RecordedDispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly number[];
}

/**
 * Calls `work` and returns the dispatches that it records on `device` before it gives back its promise. They can be
 * recorded again, as often as it takes to last long enough for a clock.
 *
 * The device's own methods are wrapped for as long as the call lasts, so that an engine need not open its programs for it.
 */
export async function recordDispatches(
  device: GPUDevice,
  work: () => Promise<unknown>,
): Promise<RecordedDispatch[]> {
  const dispatches: RecordedDispatch[] = [];
  let pipeline: GPUComputePipeline;
  let bindGroup: GPUBindGroup;
  const unwrap = after(device, "createCommandEncoder", (encoder) => {
    after(encoder as GPUCommandEncoder, "beginComputePass", (pass) => {
      after(
        pass as GPUComputePassEncoder,
        "setPipeline",
        (_, value) => (pipeline = value as GPUComputePipeline),
      );
      after(
        pass as GPUComputePassEncoder,
        "setBindGroup",
        (_, _index, group) => (bindGroup = group as GPUBindGroup),
      );
      after(pass as GPUComputePassEncoder, "dispatchWorkgroups", (_, ...workgroups) =>
        dispatches.push({ pipeline, bindGroup, workgroups: workgroups as number[] }),
      );
    });
  });
  let working: Promise<unknown>;
  try {
    working = work();
  } finally {
    unwrap();
  }
  await working;
  return dispatches;
}

/** Has `then` called after each call of a method, with what it returned and was given; returns how to undo it. */
function after<T extends object>(
  target: T,
  method: keyof T & string,
  then: (result: unknown, ...given: unknown[]) => void,
): () => void {
  const original = (target[method] as (...given: unknown[]) => unknown).bind(target);
  const value = (...given: unknown[]): unknown => {
    const result = original(...given);
    then(result, ...given);
    return result;
  };
  Object.defineProperty(target, method, { value, configurable: true });
  return () => void Reflect.deleteProperty(target, method);
}
