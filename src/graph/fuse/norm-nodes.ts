/** @file Nodes of batch norms where no product does their work in passing. */
import { activatedNorm, activatedNormGradient } from "../../kernels/activated-norm.ts";
import type { StoredGradient } from "../../kernels/conv2d/store.ts";
import { fillForward } from "../../kernels/fill.ts";
import { foldNorm } from "../../kernels/fold-norm.ts";
import { normInputGradient } from "../../kernels/norm-gradient.ts";
import type { ActivationKind } from "../../kernels/text/activation.ts";
import { filledUp } from "../../kernels/text/lane.ts";
import type { Node, Tensor } from "../graph.ts";
import { batchSlice } from "../op.ts";
import type { Op } from "../op.ts";
import { reductionParts, rowsPerItem } from "../ops/channel-reduction.ts";
import { sizeOf } from "../shape.ts";
import { lowerNormGradient } from "./norm-gradient.ts";
import type { NormGradientTarget } from "./norm-gradient.ts";
import { rangeOf } from "./place.ts";
import type { Place } from "./place.ts";
import type { FoldedNorm } from "./norm-moments.ts";
import type { NormPlanes } from "./reading.ts";

/** Stores at `z` what a norm and its activation make of `x`, instead of `node`. */
export function activatedNode(
  node: Node,
  x: Place,
  z: Place,
  planes: NormPlanes,
  activation: ActivationKind,
): Node {
  const [own] = node.outputs;
  const channels = own.shape[3];
  const op: Op = {
    name: "batch_norm",
    family: "normalization",
    outputs: node.op.outputs,
    writes: [own, z.home],
    lower(l) {
      for (const range of l.slices([x.home, z.home])) {
        const kernel = activatedNorm(l.target, range.count * rowsPerItem(own), channels, {
          activation,
          x: rangeOf(x),
          planes,
          z: rangeOf(z),
        });
        const operands = { x: batchSlice(x.home, range), norm: planes.tensor, z: batchSlice(z.home, range) };
        l.dispatch(kernel, operands);
      }
    },
  };
  return { ...node, op, inputs: [x.home, planes.tensor] };
}

export interface PassedBack {
  readonly x: Place;
  readonly planes: NormPlanes;
  readonly activation: ActivationKind;
  /** Where the gradient of the norm's result lies, and where what is left of it goes: the same place if it stays as it is. */
  readonly from: Place;
  readonly to: Place;
  readonly stored: StoredGradient;
  readonly target: NormGradientTarget;
}

/** Passes `dz` back through an activation and a norm, instead of `node`. */
export function passedBackNode(
  node: Node,
  dz: Tensor,
  { x, planes, activation, from, to, stored, target }: PassedBack,
): Node {
  const [own] = node.outputs;
  const op: Op = {
    name: "batch_norm_gradient",
    family: "normalization",
    outputs: node.op.outputs,
    writes: [...node.outputs, ...(to === from ? [] : [to.home]), ...target.writes],
    lower(l) {
      const stays = to === from;
      const inPlace = to.home === own && from.home === dz && l.overwrites(dz, own);
      const { parts, partialCount, channels } = reductionParts(l, [own, from.home, to.home, x.home], 2);
      const partials = l.scratch(4 * 2 * filledUp(channels) * partialCount);
      for (const { range, walk, firstPartial } of parts) {
        const kernel = activatedNormGradient(walk, firstPartial, {
          activation,
          x: rangeOf(x),
          planes,
          gradient: stays ? null : rangeOf(to),
          stored,
          dz: inPlace ? null : rangeOf(from),
        });
        l.dispatch(kernel, {
          ...(!inPlace && { dz: batchSlice(from.home, range) }),
          x: batchSlice(x.home, range),
          norm: planes.tensor,
          ...(!stays && { gradient: batchSlice(to.home, range) }),
          partials,
        });
      }
      lowerNormGradient(l, target, partialCount, partials);
    },
  };
  return { ...node, op, inputs: [from.home, x.home, planes.tensor, ...target.reads] };
}

/** Stores the gradient by what was standardized, of that by the result, instead of `node`. */
export function memberGradientNode(node: Node, gradient: Place, x: Place, coefficients: NormPlanes): Node {
  const [dx] = node.outputs;
  const op: Op = {
    name: "standardize_gradient",
    family: "normalization",
    outputs: node.op.outputs,
    writes: [dx],
    lower(l) {
      for (const range of l.slices([gradient.home, x.home, dx])) {
        const rows = range.count * rowsPerItem(dx);
        const kernel = normInputGradient(l.target, rows, dx.shape[3], {
          gradient: rangeOf(gradient),
          x: rangeOf(x),
          planes: coefficients,
        });
        l.dispatch(kernel, {
          gradient: batchSlice(gradient.home, range),
          x: batchSlice(x.home, range),
          coefficients: coefficients.tensor,
          dx: batchSlice(dx, range),
        });
      }
    },
  };
  return { ...node, op, inputs: [gradient.home, x.home, coefficients.tensor] };
}

/** Makes the planes of a norm of moments that are known; with `keep` these are also copied there. */
export function foldNode(
  { table, place }: FoldedNorm,
  { mean, variance }: { readonly mean: Tensor; readonly variance: Tensor },
  keep: { readonly mean: Tensor; readonly variance: Tensor } | null = null,
): Node {
  const { gamma, beta, planes } = table;
  const op: Op = {
    name: "fold_norm",
    family: "normalization",
    outputs: [],
    writes: [planes, ...(keep ? [keep.mean, keep.variance] : [])],
    lower(l) {
      const operands = { mean, variance, gamma, beta, norm: planes };
      if (!keep) l.dispatch(foldNorm(l.target, place), operands);
      else {
        const kept = { keptMean: keep.mean, keptVariance: keep.variance };
        l.dispatch(foldNorm(l.target, place, { keep: true }), { ...operands, ...kept });
      }
    },
  };
  const inputs = [mean, variance, gamma, beta];
  return { graph: planes.graph, index: -1, backward: false, op, inputs, outputs: [] };
}

/** Zeros, instead of `node`. */
export function zeroNode(node: Node): Node {
  const [y] = node.outputs;
  const op: Op = {
    name: "fill",
    family: "copy",
    outputs: node.op.outputs,
    writes: [y],
    lower: (l) => l.dispatch(fillForward(l.target, sizeOf(y.shape), 0), { y }),
  };
  return { ...node, op, inputs: [] };
}
