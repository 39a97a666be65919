import type { BenchCase } from "../bench-case.ts";
import { convolutionCases } from "./convolutions.ts";
import type { NetworkSize } from "./convolutions.ts";
import { denseBlockCases } from "./dense-blocks.ts";
import { depthwiseCases } from "./depthwise.ts";
import { elementwiseCases } from "./elementwise.ts";
import { layerCases } from "./layers.ts";
import { lossAndUpdateCases } from "./loss-and-updates.ts";
import { productCases } from "./products.ts";
import { rowNormCases } from "./row-norms.ts";

/** Every case of the benchmark, in the order in which they are measured. */
export const benchCases = (network: NetworkSize): BenchCase[] => [
  ...convolutionCases(network),
  ...denseBlockCases(network),
  ...depthwiseCases(network),
  ...layerCases(network),
  ...elementwiseCases(network),
  ...productCases(),
  ...rowNormCases(),
  ...lossAndUpdateCases(network),
];

/** Whether `filter` is a part of the case's name, whatever the case of its letters; an x may stand for ×. */
export function matches({ name }: Pick<BenchCase, "name">, filter: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replaceAll("×", "x");
  return plain(name).includes(plain(filter));
}
