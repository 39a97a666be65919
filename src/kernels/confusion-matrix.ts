import { defineKernel, linearGrid, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";

/** Invocations a workgroup, and the pixels that each of them looks at. */
const SIZE = { register: 64, workgroup: 256 } as const;
const PIXELS = 32;

/**
 * Adds to `counts` `[classes, classes]` (u32), row-major, how often each class (row) was predicted as each (column):
 * `labels` and `predictions` are `[pixels]`, u32. A label that is no class or is `ignoreLabel` is not counted, nor is a prediction that
 * is no class.
 *
 * Neighbouring pixels are mostly of one kind, so an invocation adds up a run of equal ones before it touches a counter. Sums
 * of integers do not depend on their order, so the atomic additions give the same bits each time. On hardware a workgroup
 * has counters of its own where its memory holds them, and adds those up at its end.
 */
export function countConfusion(
  target: KernelTarget,
  pixels: number,
  classes: number,
  ignoreLabel?: number,
): Kernel {
  const { family, maxWorkgroupBytes } = target;
  const size = SIZE[family];
  const counters = classes ** 2;
  const own = family === "workgroup" && 4 * counters <= maxWorkgroupBytes;
  // The loads of a subgroup side by side; on a CPU those of one invocation, for the longest runs.
  const pixel = family === "workgroup" ? `k * ${size}u + lane` : `lane * ${PIXELS}u + k`;
  return defineKernel({
    label: "confusion_matrix",
    read: { labels: "array<u32>", predictions: "array<u32>" },
    write: { counts: "array<atomic<u32>>" },
    // A label that is never counted anyway, where none is to be ignored.
    params: { count: u32(pixels), classes: u32(classes), ignored: u32(ignoreLabel ?? 0xffffffff) },
    workgroups: linearGrid(target, pixels, size * PIXELS),
    body: /* wgsl */ `
${own ? `var<workgroup> own: array<atomic<u32>, ${counters}>;` : ""}
fn add(counter: u32, run: u32) {
  if (run > 0u) { atomicAdd(&${own ? "own" : "counts"}[counter], run); }
}

@compute @workgroup_size(${size})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let begin = (group.y * groups.x + group.x) * ${size * PIXELS}u;
  var counter = 0u;
  var run = 0u;
  for (var k = 0u; k < ${PIXELS}u; k++) {
    let pixel = begin + ${pixel};
    if (pixel >= params.count) { break; }
    let label = load_labels(pixel);
    let prediction = load_predictions(pixel);
    if (label >= params.classes || label == params.ignored || prediction >= params.classes) { continue; }
    let next = label * params.classes + prediction;
    if (next != counter) {
      add(counter, run);
      counter = next;
      run = 0u;
    }
    run++;
  }
  add(counter, run);
  ${own ? addOwn(size, counters) : ""}
}`,
  });
}

/** WGSL that adds a workgroup's counters to those of all. */
const addOwn = (size: number, counters: number): string => /* wgsl */ `
  workgroupBarrier();
  for (var i = lane; i < ${counters}u; i += ${size}u) {
    let pixels = atomicLoad(&own[i]);
    if (pixels > 0u) { atomicAdd(&counts[i], pixels); }
  }`;

/** `counts = 0`, for {@link countConfusion} to begin with; `counts`: `[classes, classes]`. */
export function clearConfusion(target: KernelTarget, classes: number): Kernel {
  return perItemKernel(target, classes ** 2, {
    label: "clear_confusion_matrix",
    read: {},
    write: { counts: "array<u32>" },
    body: "store_counts(index, 0u);",
  });
}
