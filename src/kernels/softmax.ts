import { defineKernel, linearGrid, linearIndex, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";

const SIZE = 64;

/** Softmax of each row, with its largest value taken out: `x`, `y`: `[rows, classes]`. */
export function softmaxForward(target: KernelTarget, rows: number, classes: number): Kernel {
  return defineKernel({
    label: "softmax_forward",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: { count: u32(rows), classes: u32(classes) },
    workgroups: linearGrid(target, rows, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  let begin = index * params.classes;
  let end = begin + params.classes;
  var largest = x[begin];
  for (var i = begin + 1u; i < end; i++) { largest = max(largest, x[i]); }
  var total = 0.0;
  for (var i = begin; i < end; i++) {
    let value = exp(x[i] - largest);
    y[i] = value;
    total += value;
  }
  let normalizer = 1.0 / total;
  for (var i = begin; i < end; i++) { y[i] *= normalizer; }
}`,
  });
}

/** Gradient of {@link softmaxForward} from its output: `dx = y · (dy − Σ dy·y)`; all `[rows, classes]`. */
export function softmaxBackward(target: KernelTarget, rows: number, classes: number): Kernel {
  return defineKernel({
    label: "softmax_backward",
    read: { y: "array<f32>", dy: "array<f32>" },
    write: { dx: "array<f32>" },
    params: { count: u32(rows), classes: u32(classes) },
    workgroups: linearGrid(target, rows, SIZE),
    body: /* wgsl */ `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(SIZE)}
  if (index >= params.count) { return; }
  let begin = index * params.classes;
  let end = begin + params.classes;
  var total = 0.0;
  for (var i = begin; i < end; i++) { total += dy[i] * y[i]; }
  for (var i = begin; i < end; i++) { dx[i] = y[i] * (dy[i] - total); }
}`,
  });
}
