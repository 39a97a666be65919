/**
 * @file Gradients in buckets, each to be sent on its way as soon as the backward pass has made what is in it: of a stack of kernels the
 * kernels one by one, those of the last layers first.
 */
import { storageOf, variableParts } from "../../graph/graph.ts";
import type { Node, Tensor } from "../../graph/graph.ts";
import { accumulate } from "../../graph/ops/accumulate.ts";
import { partAt } from "../../graph/ops/part.ts";
import { bytesOf, sizeOf } from "../../graph/shape.ts";

/**
 * Bytes of a bucket, about. PyTorch's DistributedDataParallel takes 25 MB; a network that has no more than that would have nothing
 * to send before its backward pass is over.
 */
export const BUCKET_BYTES = 2 ** 22;

/** Share of a bucket: a variable of less is not cut. All γ of a network are little, and become one piece of the last bucket. */
const WHOLE = 1 / 4;

/** A part of an accumulator, and what is added to it. */
interface Piece {
  readonly sum: Tensor;
  readonly begin: number;
  readonly gradient: Tensor;
  readonly size: number;
  /** Place of what makes it in the backward pass. */
  readonly made: number;
}

/**
 * Nodes that add `share` times the gradients to their accumulators, to be the taps of a program: the first one for what the
 * backward pass makes first. They depend on the graph alone, so that ranks on any adapters, with any number of photos, have
 * the same.
 *
 * @param terms for each accumulator the gradient.
 * @param share a scalar.
 * @param bytes of a bucket, about.
 */
export function accumulateInBuckets(
  terms: ReadonlyMap<Tensor, Tensor>,
  share: Tensor,
  bytes = BUCKET_BYTES,
): Record<string, Node> {
  const pieces = [...terms].flatMap(([sum, gradient]) => piecesOf(sum, gradient, WHOLE * bytes));
  const taps: Record<string, Node> = {};
  for (const bucket of bucketsOf(pieces, bytes)) {
    const parts = merged(bucket).map(({ sum, gradient, begin, size }) => {
      const whole = size === sizeOf(sum.shape);
      const part = (x: Tensor): Tensor => (whole ? x : partAt(x, begin, [size]));
      return [part(sum), part(gradient)] as const;
    });
    taps[`gradients ${Object.keys(taps).length}`] = accumulate(new Map(parts), share);
  }
  return taps;
}

function piecesOf(sum: Tensor, gradient: Tensor, wholeBytes: number): Piece[] {
  const stack = storageOf(gradient);
  const pattern = stack.node?.op.pattern;
  const size = sizeOf(sum.shape);
  if (pattern?.kind !== "joinParts" || bytesOf(sum) < wholeBytes)
    return [{ sum, gradient, begin: 0, size, made: stack.node?.index ?? 0 }];
  const makers = new Map(pattern.parts.map(({ begin, values }) => [begin, storageOf(values).node]));
  return variableParts(sum).flatMap(({ shape }, i): Piece[] => {
    const begin = sum.variable!.begins[i];
    const maker = makers.get(begin);
    // A part without is no part of the loss: its gradient is zero on every rank.
    return maker ? [{ sum, gradient, begin, size: sizeOf(shape), made: maker.index }] : [];
  });
}

function bucketsOf(pieces: readonly Piece[], most: number): Piece[][] {
  const buckets: Piece[][] = [];
  let bytes = Infinity;
  for (const piece of [...pieces].sort((a, b) => a.made - b.made)) {
    if (bytes >= most) {
      buckets.push([]);
      bytes = 0;
    }
    buckets.at(-1)!.push(piece);
    bytes += 4 * piece.size;
  }
  return buckets;
}

/** The pieces of a bucket, neighbours as one. */
function merged(bucket: readonly Piece[]): Piece[] {
  const all: Piece[] = [];
  const ordered = [...bucket].sort((a, b) => a.sum.id - b.sum.id || a.begin - b.begin);
  for (const piece of ordered) {
    const last = all.at(-1);
    if (last?.sum === piece.sum && last.begin + last.size === piece.begin)
      all[all.length - 1] = { ...last, size: last.size + piece.size };
    else all.push(piece);
  }
  return all;
}
