import { u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Softmax of each row, with its largest value taken out: `x`, `y`: `[rows, classes]`. */
export function softmaxForward(target: KernelTarget, rows: number, classes: number): Kernel {
  return perItemKernel(target, rows, {
    label: "softmax_forward",
    read: { x: "array<f32>" },
    write: { y: "array<f32>" },
    params: { classes: u32(classes) },
    body: /* wgsl */ `
  let begin = index * params.classes;
  let end = begin + params.classes;
  var largest = load_x(begin);
  for (var i = begin + 1u; i < end; i++) { largest = max(largest, load_x(i)); }
  var total = 0.0;
  for (var i = begin; i < end; i++) {
    let value = exp(load_x(i) - largest);
    store_y(i, value);
    total += value;
  }
  let normalizer = 1.0 / total;
  for (var i = begin; i < end; i++) { store_y(i, load_y(i) * normalizer); }`,
  });
}

/** Gradient of {@link softmaxForward} from its output: `dx = y · (dy − Σ dy·y)`; all `[rows, classes]`. */
export function softmaxBackward(target: KernelTarget, rows: number, classes: number): Kernel {
  return perItemKernel(target, rows, {
    label: "softmax_backward",
    read: { y: "array<f32>", dy: "array<f32>" },
    write: { dx: "array<f32>" },
    params: { classes: u32(classes) },
    body: /* wgsl */ `
  let begin = index * params.classes;
  let end = begin + params.classes;
  var total = 0.0;
  for (var i = begin; i < end; i++) { total += load_dy(i) * load_y(i); }
  for (var i = begin; i < end; i++) { store_dx(i, load_y(i) * (load_dy(i) - total)); }`,
  });
}
