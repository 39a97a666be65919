import { DataError } from "../data/data-error.ts";

/** Photos that could not be had for a reason that may pass, by the error that says so. */
const passing = new WeakSet<DataError>();

/** A photo that could not be had, where it may be had later: a server that is busy, a disk that is not there. */
export function passingError(message: string): DataError {
  const error = new DataError(message);
  passing.add(error);
  return error;
}

export const isPassing = (error: unknown): boolean => error instanceof DataError && passing.has(error);
