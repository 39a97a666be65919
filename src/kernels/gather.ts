/**
 * @file Rows taken by their numbers, and the gradient of that. A gradient is a sum for every row of the rows of `dy` that were made of it. There
 * is no atomic addition of floats, and it would not add in one order; so each row has a list of its places, in their order, which one invocation for
 * each of its numbers follows.
 *
 * A list is cut into parts: in long ones many invocations find the next place, and add, at once. Shapes are in the text, where a compiler makes
 * a product of a quotient.
 */
import { u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `x` `[outer, rows, inner]` of which `count` rows are taken. */
export interface GatherShape {
  readonly outer: number;
  readonly rows: number;
  readonly inner: number;
  readonly count: number;
}

/** A part of the rows: `x` is bound from row number `first` on. */
export interface GatherOptions {
  readonly first?: number;
  /** The first of the `count` indices that are taken. */
  readonly begin?: number;
  /** Leave what is of other rows as it is, instead of making it 0. */
  readonly keeps?: boolean;
  readonly uint?: boolean;
}

/** `y[o, i, c] = x[o, indices[i], c]`, or 0 where there is no such row: `y` `[outer, count, inner]`. */
export function gatherForward(
  target: KernelTarget,
  { outer, rows, inner, count }: GatherShape,
  { first = 0, begin = 0, keeps = false, uint = false }: GatherOptions = {},
): Kernel {
  const lane = laneFor(inner);
  const { width } = lane;
  const type = uint ? lane.uint : lane.float;
  return perItemKernel(target, (outer * count * inner) / width, {
    label: "gather",
    read: { x: `array<${type}>`, indices: "array<u32>" },
    write: { y: `array<${type}>` },
    params: { rows: u32(rows), first: u32(first), begin: u32(begin) },
    body: /* wgsl */ `let line = index / ${inner / width}u;
  let outer = ${outer === 1 ? "0u" : `line / ${count}u`};
  // What is below the first row becomes larger than any.
  let row = load_indices(params.begin + line - outer * ${count}u) - params.first;
  if (row < params.rows) {
    store_y(index, load_x((outer * params.rows + row) * ${inner / width}u + index - line * ${inner / width}u));
  }${keeps ? "" : ` else { store_y(index, ${type}()); }`}`,
  });
}

/** Places that one part of the lists is of, and how many parts there are. */
export interface GatherParts {
  readonly size: number;
  readonly parts: number;
}

/** The fewest places that are worth a part, and the most parts. */
const SMALLEST_PART = 256;
const MOST_PARTS = 64;

/** Cuts `count` places into parts: together they make no more sums than there are numbers in `dy`, nor than a binding may hold. */
export function gatherParts(
  { maxBindingBytes }: Pick<KernelTarget, "maxBindingBytes">,
  { outer, rows, inner, count }: GatherShape,
): GatherParts {
  const most = Math.min(
    MOST_PARTS,
    Math.floor(count / Math.max(rows, SMALLEST_PART)),
    Math.floor(maxBindingBytes / (4 * outer * rows * inner)),
  );
  const size = Math.ceil(count / Math.max(1, most));
  return { size, parts: Math.ceil(count / size) };
}

/** Makes `heads`, `[parts, rows]`, of no places. */
export const noPlaces = (target: KernelTarget, length: number): Kernel =>
  perItemKernel(target, length, {
    label: "gather_no_places",
    read: {},
    write: { heads: "array<u32>" },
    body: "store_heads(index, 0xffffffffu);",
  });

/**
 * Lists of places, counted from 0 within a range of `count` from `begin` of `indices` on: `heads` `[parts, rows]` has the first place of each row
 * in each part, if there is one, and `next` `[count]` the place in the same part that follows another.
 */
export function linkPlaces(
  target: KernelTarget,
  { rows, count, begin }: Pick<GatherShape, "rows" | "count"> & { readonly begin: number },
  { size }: GatherParts,
): Kernel {
  return perItemKernel(target, count, {
    label: "gather_link",
    read: { indices: "array<u32>" },
    write: { heads: "array<atomic<u32>>", next: "array<u32>" },
    params: { rows: u32(rows), size: u32(size), begin: u32(begin) },
    body: /* wgsl */ `let row = load_indices(params.begin + index);
  if (row >= params.rows) { return; }
  let part = index / params.size;
  // Whichever comes first, the smallest place is the head.
  atomicMin(&heads[part * params.rows + row], index);
  let end = min((part + 1u) * params.size, params.count);
  var other = index + 1u;
  while (other < end) {
    if (load_indices(params.begin + other) == row) { break; }
    other++;
  }
  store_next(index, select(0xffffffffu, other, other < end));`,
  });
}

/**
 * Sums of each part, along its lists: `sums` `[parts, outer, rows, inner]` of `dy` `[outer, count, inner]`, for `rows` rows from `first` on, of
 * `allRows`.
 */
export function sumPlaces(
  target: KernelTarget,
  { outer, rows, inner, count }: GatherShape,
  { parts }: GatherParts,
  { first, allRows }: { readonly first: number; readonly allRows: number },
): Kernel {
  const { width, float } = laneFor(inner);
  return perItemKernel(target, (parts * outer * rows * inner) / width, {
    label: "gather_gradient",
    read: { dy: `array<${float}>`, heads: "array<u32>", next: "array<u32>" },
    write: { sums: `array<${float}>` },
    params: {
      places: u32(count),
      first: u32(first),
      allRows: u32(allRows),
    },
    body: /* wgsl */ `let line = index / ${inner / width}u;
  let channel = index - line * ${inner / width}u;
  let image = line / ${rows}u;
  let row = line - image * ${rows}u;
  let part = image / ${outer}u;
  let begin = (image - part * ${outer}u) * params.places;
  var sum = ${float}();
  var place = load_heads(part * params.allRows + params.first + row);
  while (place < params.places) {
    sum += load_dy((begin + place) * ${inner / width}u + channel);
    place = load_next(place);
  }
  store_sums(index, sum);`,
  });
}
