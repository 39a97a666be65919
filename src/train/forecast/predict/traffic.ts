import type { Binding, Dispatch } from "../../../graph/dispatch.ts";
import type { TileRequest } from "../../../kernels/tiling.ts";

/**
 * Bytes that a dispatch reads and writes if it touches each number once. It is what it binds, but for products that take some
 * channels of an image: of those of a dense block, which share one image, only theirs.
 */
export function bytesTouched({ kernel, bindings }: Dispatch): number {
  const request = kernel.tiling?.request;
  return bindings.reduce((sum, binding, i) => {
    const channels = request && channelsTouched(request, kernel.bindings[i].name);
    return sum + binding.bytes * (channels === undefined ? 1 : Math.min(1, channels / channelsOf(binding)));
  }, 0);
}

/** Of the image in a product's buffer; undefined for one that holds none of its operands. */
function channelsTouched(request: TileRequest, buffer: string): number | undefined {
  const { kind, rows, columns, depth, taps, layers, left, right, store } = request;
  if (kind === "backwardWeights") {
    if (left.buffers.includes(buffer)) return (layers * rows) / taps;
    return right?.buffers.includes(buffer) ? layers * columns : undefined;
  }
  if (left.buffers.includes(buffer)) return depth;
  return store.buffers.includes(buffer) ? columns : undefined;
}

/** Of an image `[N, H, W, C]`; 0 of anything else, of which all that is bound counts. */
function channelsOf({ owner }: Binding): number {
  return "shape" in owner && owner.shape.length === 4 ? owner.shape[3] : 0;
}
