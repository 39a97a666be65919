import { u32 } from "../kernel.ts";
import type { Uniform } from "../kernel.ts";

/** Several matrix products of one size in one dispatch, its layers, that differ in which matrices they take. */
export interface MatrixLayers {
  readonly count: number;
  /**
   * WGSL of the number of the matrix that layer `layer` takes of the left operand, of the right one, counted from where their
   * buffers begin. `params.layersBefore` is in scope. The result's is `layer`.
   */
  readonly left: string;
  readonly right: string;
  /** Layers before those of this dispatch. */
  readonly before: number;
}

/** Numbers of one matrix, in the lanes that its buffer holds. */
export interface MatrixSizes {
  readonly left: number;
  readonly right: number;
  readonly result: number;
}

/** The uniforms of layers, and WGSL that declares, of `layer`, where its matrices begin: `leftFirst`, `rightFirst` and `resultFirst`. */
export const matrixLayersText = (
  layers: MatrixLayers,
  { left, right, result }: MatrixSizes,
): { params: Record<string, Uniform>; text: string } => ({
  params: {
    layersBefore: u32(layers.before),
    leftMatrix: u32(left),
    rightMatrix: u32(right),
    resultMatrix: u32(result),
  },
  text: /* wgsl */ `let leftFirst = (${layers.left}) * params.leftMatrix;
  let rightFirst = (${layers.right}) * params.rightMatrix;
  let resultFirst = layer * params.resultMatrix;`,
});
