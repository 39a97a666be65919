import { readFile } from "node:fs/promises";
import type { Encoder } from "../../../src/layers/networks/encoder.ts";
import type { TensorSummary } from "../../helpers/tensor-summary.ts";

/** What Keras makes of the numbers of `drawn.ts`. */
export interface KerasFixture {
  readonly gain: number;
  readonly taps: Encoder["taps"];
  /** By photo size, then by tap; `logits` and `probabilities` too. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, TensorSummary>>>>;
  /** With the top: shapes by layer and role, in Keras's order. */
  readonly weights: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;
  readonly parameters: { readonly noTop: number; readonly withTop: number };
}

export async function kerasFixture(encoder: Encoder): Promise<KerasFixture> {
  const file = new URL(`fixtures/${encoder.name}.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8")) as KerasFixture;
}
