import type { Load } from "../conv2d/load.ts";
import type { Store, StoredTile } from "../conv2d/store.ts";
import { u32 } from "../kernel.ts";
import type { Kernel, Uniform } from "../kernel.ts";
import type { Lane } from "../text/lane.ts";

/** What a depthwise convolution does besides; by default it loads and stores tensors of its own and leaves no partials. */
export interface DepthwiseFusion {
  /** How its source is loaded (`x`, by data `dy`), by the width that suits the kernel. */
  readonly load?: (width: 4 | 1) => Load;
  /**
   * How the result is stored; a partial is what an invocation leaves of its unit. C must be a multiple of 4. Not one that
   * leaves moments: a walk does not hold its results.
   */
  readonly store?: Store;
}

/** A kernel, and in how many partials it leaves what it leaves of its result. */
export interface DepthwiseKernel {
  readonly kernel: Kernel;
  readonly partialCount: number;
}

/** A store as a walk's kernel takes it. */
export interface WalkStore extends Pick<Store, "read" | "write" | "functions"> {
  readonly params: Readonly<Record<string, Uniform>>;
  /**
   * WGSL of the whole walk, which is given what stores a result: WGSL of that, from the text of a sum, with `place`, the
   * number of the pixel, in scope.
   */
  text(walk: (stored: (sum: string) => string) => string): string;
}

/**
 * `store`, or that of a tensor `name` of the walk's own.
 *
 * @throws Error when there is a `store` and the channels are no multiple of 4, or when it wants to see all results at once.
 */
export function walkStore(store: Store | undefined, name: string, channels: number, lane: Lane): WalkStore {
  if (!store) {
    return {
      read: {},
      write: { [name]: `array<${lane.float}>` },
      params: {},
      text: (walk) => walk((sum) => `store_${name}(place * params.quads + quad, ${sum});`),
    };
  }
  if (lane.width !== 4) {
    throw new Error(
      `A depthwise convolution of ${channels} channels cannot be stored otherwise than as it is: that takes a multiple of 4.`,
    );
  }
  return {
    ...store,
    params: { ...store.params, channels: u32(channels) },
    text: (walk) => store.text(walkedTile(walk)),
  };
}

/** A walk as the tile that a store knows: one vec4 of columns, and its rows one after the other. */
function walkedTile(walk: Parameters<WalkStore["text"]>[0]): StoredTile {
  const missing = (): never => {
    throw new Error(
      "A walk does not hold its results: ask for its moments instead of a store that makes them.",
    );
  };
  return {
    rows: [0],
    vectors: [0],
    inside: missing,
    eachRow: (text) => walk((sum) => text(() => sum)),
    sum: missing,
    column: () => "(4u * quad)",
    count: missing,
    partialIndex: "unit",
    writer: "true",
    acrossRows: () => "",
  };
}
