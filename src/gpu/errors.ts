/** What went wrong on the device. */
export type GpuErrorKind = "lost" | "out-of-memory" | "validation" | "internal" | "unsupported";

/**
 * Anything the GPU reports: a lost device, an allocation that did not fit, a shader that does not compile. Errors that
 * arrive with no call to blame are kept and thrown by the next call (see `Gpu.check`).
 */
export class GpuError extends Error {
  /** What kind of failure it is, to be told apart by programs. */
  readonly kind: GpuErrorKind;

  constructor(kind: GpuErrorKind, message: string) {
    super(message);
    this.name = "GpuError";
    this.kind = kind;
  }
}

/** Turns what WebGPU hands out (a `GPUError` or anything thrown) into a {@link GpuError}, naming what was being done. */
export function toGpuError(what: string, error: unknown): GpuError {
  if (error instanceof GpuError) return error;
  const message = error instanceof Error || hasMessage(error) ? error.message : String(error);
  const name = (error as { constructor?: { name?: string } } | null)?.constructor?.name ?? "";
  const kind: GpuErrorKind =
    name === "GPUOutOfMemoryError"
      ? "out-of-memory"
      : name === "GPUValidationError"
        ? "validation"
        : "internal";
  return new GpuError(kind, `${what}: ${message.trim()}`);
}

function hasMessage(value: unknown): value is { message: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { message?: unknown }).message === "string"
  );
}
