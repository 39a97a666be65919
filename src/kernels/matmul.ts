import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

/** A matrix product `[rows, inner] · [inner, columns]`, either factor perhaps stored transposed. */
export interface MatmulShape {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** `a` is stored as `[inner, rows]`. */
  readonly transposeA: boolean;
  /** `b` is stored as `[columns, inner]`. */
  readonly transposeB: boolean;
}

/** `y = a · b`, for small matrices such as a classifier's last layer: one invocation an element, no tiles. */
export function matmulForward(target: KernelTarget, shape: MatmulShape): Kernel {
  const { rows, inner, columns, transposeA, transposeB } = shape;
  const kernel = defineKernel({
    label: "matmul",
    read: { a: "array<f32>", b: "array<f32>" },
    write: { y: "array<f32>" },
    params: {
      rows: u32(rows),
      channels: u32(columns),
      inner: u32(inner),
      aRowStride: u32(transposeA ? 1 : inner),
      aInnerStride: u32(transposeA ? rows : 1),
      bInnerStride: u32(transposeB ? 1 : columns),
      bColumnStride: u32(transposeB ? inner : 1),
    },
    workgroups: channelGrid(target, rows, columns),
    body: channelMain(/* wgsl */ `
    var ai = row * params.aRowStride;
    var bi = channel * params.bColumnStride;
    var total = 0.0;
    for (var i = 0u; i < params.inner; i++) {
      total = fma(load_a(ai), load_b(bi), total);
      ai += params.aInnerStride;
      bi += params.bInnerStride;
    }
    store_y(row * params.channels + channel, total);`),
  });
  return { ...kernel, flops: 2 * rows * inner * columns };
}
