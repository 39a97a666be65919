import { expect } from "vitest";
import { DataError } from "../../src/data/data-error.ts";

/** The one sentence with which work on data fails. */
export async function sentence(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message).not.toContain("\n");
  return message;
}
