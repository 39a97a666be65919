/** What `work` returned, and what WebGPU found wrong with it. */
export interface Scoped<T> {
  readonly result: T;
  /** The error that was caught, of several one of the last filter that caught any; null for none. */
  readonly caught: Promise<GPUError | null>;
}

/** Work that is done when it returns. */
export type SynchronousWork<T> = () => T extends PromiseLike<unknown> ? never : T;

/**
 * Runs `work` inside error scopes. A device has one stack of scopes, whoever uses it, so they are popped before anything
 * else can run. What is asynchronous tells of its own failure (`createComputePipelineAsync`, `mapAsync`) and needs none.
 *
 * @throws what `work` throws.
 */
export function withErrorScopes<T>(
  device: GPUDevice,
  filters: readonly GPUErrorFilter[],
  work: SynchronousWork<T>,
): Scoped<T> {
  for (const filter of filters) device.pushErrorScope(filter);
  let caught: Promise<GPUError | null> | undefined;
  try {
    const result = work() as T;
    return { result, caught: (caught = popAll(device, filters.length)) };
  } finally {
    // Where the work threw, that is what the caller hears of.
    if (!caught) popAll(device, filters.length).catch(() => null);
  }
}

async function popAll(device: GPUDevice, count: number): Promise<GPUError | null> {
  const errors = await Promise.all(Array.from({ length: count }, () => device.popErrorScope()));
  return errors.find((error) => error !== null) ?? null;
}
