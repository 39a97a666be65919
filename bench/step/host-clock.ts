/** Where a call's time went on the host, in milliseconds. */
export interface HostTime {
  /** In `queue.writeBuffer`: copying the batch to where the GPU can fetch it. */
  readonly upload: number;
  /** The rest: recording the pass and submitting it. */
  readonly encode: number;
}

/**
 * Times the synchronous part of `call`, what it uploads apart from the rest.
 *
 * The queue's own method is wrapped for as long as the call lasts, so that an engine need not carry a clock for it.
 */
export function timeHost(device: GPUDevice, call: () => Promise<unknown>): [HostTime, Promise<unknown>] {
  const { queue } = device;
  const write = queue.writeBuffer.bind(queue) as (...all: unknown[]) => undefined;
  let upload = 0;
  const timed = (...all: unknown[]): undefined => {
    const start = performance.now();
    write(...all);
    upload += performance.now() - start;
  };
  Object.defineProperty(queue, "writeBuffer", { value: timed, configurable: true });
  try {
    const start = performance.now();
    const running = call();
    return [{ upload, encode: performance.now() - start - upload }, running];
  } finally {
    Reflect.deleteProperty(queue, "writeBuffer");
  }
}
