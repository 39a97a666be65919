/** @file Products with what stands around them: a prologue for what they read, an epilogue for what they make. */
import { activationGradientEpilogue, momentsEpilogue, plainEpilogue } from "../../kernels/conv2d/epilogue.ts";
import type { Epilogue } from "../../kernels/conv2d/epilogue.ts";
import type { WeightsFusion } from "../../kernels/conv2d/weights-product.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import type { ChannelRange } from "../../kernels/text/channel-range.ts";
import type { Node, Tensor } from "../graph.ts";
import type { WeightsPattern } from "../lowering/conv2d-products.ts";
import { loadOf, resultsOf, slices } from "../lowering/taps.ts";
import type { TapsPattern } from "../lowering/taps.ts";
import { lowerTiles, lowerTilesToMoments, momentsPerPartial } from "../lowering/tiles.ts";
import { batchSlice } from "../op.ts";
import type { BatchRange, Lowering, Op, Operand } from "../op.ts";
import { ownPlace, rangeOf } from "./place.ts";
import type { Place } from "./place.ts";
import { imagesOf, loadOfReading, operandsOfReading, tensorsOf } from "./reading.ts";
import type { NormPlanes, Reading } from "./reading.ts";

/** What is made of what tiles leave: other tensors that it changes, and those that it reads. */
interface Merged {
  readonly writes: readonly Tensor[];
  readonly reads: readonly Tensor[];
}

/** Where a result lies that passes back through a norm, what is added to it before, and where its partials begin. */
export interface NormGradientStorage {
  readonly range: ChannelRange;
  readonly addends: readonly ChannelRange[];
  readonly firstPartial: number;
}

/** What becomes of a product's result. */
export type Outcome =
  /** It is stored, in one tensor or in two. */
  | { readonly kind: "as it is" }
  /** It lies elsewhere, added to others or activated. */
  | {
      readonly kind: "placed";
      readonly place: Place;
      readonly addends: readonly Place[];
      readonly activation?: ActivationKind;
    }
  /** And so do its moments, of which `merge` gets those of its tiles. */
  | ({
      readonly kind: "moments";
      readonly place: Place;
      readonly merge: (
        l: Lowering,
        channels: number,
        partialCount: number,
        partials: Record<"partials" | "counts", Operand>,
      ) => void;
    } & Merged)
  /** It is added to others, and the sum passes back through an activation and a batch norm of `x`. */
  | ({
      readonly kind: "normGradient";
      readonly place: Place;
      readonly addends: readonly Place[];
      readonly x: Place;
      readonly planes: NormPlanes;
      readonly epilogue: (how: NormGradientStorage) => Epilogue;
      /** Gets the sums of its tiles. */
      readonly merge: (l: Lowering, partialCount: number, partials: Operand) => void;
    } & Merged)
  /** It passes back through an activation of `before`, and is added to others. */
  | {
      readonly kind: "activationGradient";
      readonly place: Place;
      readonly addends: readonly Place[];
      readonly before: Place;
      readonly activation: ActivationKind;
    };

/** `node`, a product that gathers, which reads its only source as `reading` says, or its sources as they are. */
export function fusedTaps(node: Node, pattern: TapsPattern, reading: Reading | null, outcome: Outcome): Node {
  const { sources, kernel, bias: biasTensor, taps } = pattern;
  const bias = biasTensor !== null;
  const { names } = taps;
  const channels = taps.channels.reduce((sum, count) => sum + count, 0);
  const half = sources[0].dtype === "f16";
  const read = (range: BatchRange): Record<string, Operand> => ({
    ...(reading ? operandsOfReading(reading, names.source, range) : slices(names.source, sources, range)),
    w: kernel,
    ...(biasTensor && { bias: biasTensor }),
  });
  const written = writtenBy(node, outcome);
  const op: Op = {
    ...node.op,
    writes: written,
    lower(l) {
      const load = reading
        ? (width: 4 | 1) => loadOfReading(reading, names.source, width)
        : loadOf(l, names.source, sources);
      const large = [
        ...(reading ? imagesOf(reading) : sources),
        ...("addends" in outcome ? outcome.addends.map(({ home }) => home) : []),
      ];
      const known = momentsOf(l, node, pattern);
      if (outcome.kind === "as it is" && !known) {
        const results = node.outputs.slice(0, taps.channels.length);
        const wanted = results.filter((result, i) => i === 0 || l.uses(result));
        const fusion = {
          load,
          ...resultsOf(
            taps,
            wanted.map(({ shape }) => shape[3]),
          ),
          bias,
          half,
        };
        for (const range of l.slices([...large, ...wanted])) {
          const { kernel } = taps.product(l, range.count, fusion);
          l.dispatch(kernel, { ...read(range), ...slices(names.result, wanted, range) });
        }
        return;
      }
      const place = outcome.kind === "as it is" ? ownPlace(node.outputs[0]) : outcome.place;
      const { home } = place;
      const to = rangeOf(place);
      const added = "addends" in outcome ? outcome.addends : [];
      const addends = added.map(rangeOf);
      const product = (range: BatchRange, epilogue: Epilogue, more: Record<string, Operand> = {}) => ({
        product: taps.product(l, range.count, { load, epilogue, bias, half }),
        operands: {
          ...read(range),
          ...more,
          ...Object.fromEntries(added.map((addend, i) => [`addend${i}`, batchSlice(addend.home, range)])),
          [names.result]: batchSlice(home, range),
        },
      });
      if (outcome.kind === "normGradient") {
        const { x, planes, epilogue, merge } = outcome;
        const { partialCount, partials } = lowerTiles(
          l,
          l.slices([...large, home, x.home]),
          { partials: 2 * channels },
          (range, firstPartial) =>
            product(range, epilogue({ range: to, addends, firstPartial }), {
              before: batchSlice(x.home, range),
              norm: planes.tensor,
            }),
        );
        merge(l, partialCount, partials.partials);
        return;
      }
      if (outcome.kind === "activationGradient") {
        const { before, activation } = outcome;
        for (const range of l.slices([...large, home, before.home])) {
          const { product: made, operands } = product(
            range,
            activationGradientEpilogue({ range: to, addends, before: rangeOf(before), activation }),
            { before: batchSlice(before.home, range) },
          );
          l.dispatch(made.kernel, operands);
        }
        return;
      }
      const ranges = l.slices([...large, home]);
      if (outcome.kind === "placed" && !known) {
        for (const range of ranges) {
          const { activation } = outcome;
          const { product: made, operands } = product(
            range,
            plainEpilogue({ range: to, addends, activation }),
          );
          l.dispatch(made.kernel, operands);
        }
        return;
      }
      const withMoments = (range: BatchRange, firstPartial: number) =>
        product(range, momentsEpilogue(to, firstPartial));
      if (outcome.kind === "moments") {
        const { partialCount, partials } = lowerTiles(l, ranges, momentsPerPartial(channels), withMoments);
        outcome.merge(l, channels, partialCount, partials);
      } else lowerTilesToMoments(l, ranges, channels, known!, withMoments);
    },
  };
  const reads = [
    ...(reading ? tensorsOf(reading) : sources),
    kernel,
    ...(biasTensor ? [biasTensor] : []),
    ...readBy(outcome),
  ];
  return { ...node, op, inputs: reads };
}

/** The moments of a product's result, where it finds them and anybody reads them by themselves. */
function momentsOf(
  l: Lowering,
  { outputs }: Node,
  { moments }: TapsPattern,
): { readonly mean: Tensor; readonly variance: Tensor } | null {
  if (!moments) return null;
  const [, mean, variance] = outputs;
  return l.uses(mean) || l.uses(variance) ? { mean, variance } : null;
}

function writtenBy(node: Node, outcome: Outcome): Tensor[] {
  if (outcome.kind === "as it is") return [...node.outputs];
  const home = [...node.outputs, outcome.place.home];
  if (outcome.kind === "placed" || outcome.kind === "activationGradient") return home;
  return [...home, ...outcome.writes];
}

function readBy(outcome: Outcome): Tensor[] {
  if (outcome.kind === "as it is") return [];
  if (outcome.kind === "moments") return [...outcome.reads];
  const addends = outcome.addends.map(({ home }) => home);
  if (outcome.kind === "placed") return addends;
  if (outcome.kind === "activationGradient") return [...addends, outcome.before.home];
  const { x, planes, reads } = outcome;
  return [...addends, x.home, planes.tensor, ...reads];
}

/** `node`, a product by weights, with prologues; its result goes to `to`. */
export function fusedWeights(
  node: Node,
  { gradients, x, lower }: WeightsPattern,
  left: Reading,
  right: Reading | null,
  to: { readonly tensor: Tensor; readonly operand: Operand },
): Node {
  const half = x.dtype === "f16";
  const op: Op = {
    ...node.op,
    writes: [to.tensor],
    lower(l) {
      const fusion: WeightsFusion = {
        left: (width, begins = {}) => loadOfReading(left, "x", width, begins),
        right: right
          ? (width, begins = {}) => loadOfReading(right, "dy", width, begins)
          : loadOf(l, "dy", gradients),
        half,
      };
      const ranges = l.slices([...imagesOf(left), ...(right ? imagesOf(right) : gradients)]);
      lower(l, ranges, fusion, to.operand, (range) => ({
        ...operandsOfReading(left, "x", range),
        ...(right ? operandsOfReading(right, "dy", range) : slices("dy", gradients, range)),
      }));
    },
  };
  const inputs = [...tensorsOf(left), ...(right ? tensorsOf(right) : gradients)];
  return { ...node, op, inputs };
}
