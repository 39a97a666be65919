/**
 * @file Products by weights that differ only in where their operands begin run as one dispatch: all 1×1 kernels of a dense
 * block, all of its 3×3 kernels. A block's late layers are small; together they fill a GPU.
 */
import type { WeightsLayers } from "../../kernels/conv2d/weights-product.ts";
import type { Begins } from "../../kernels/conv2d/load.ts";
import type { Conv2dGeometry } from "../../kernels/conv2d/geometry.ts";
import { STACK_ALIGNMENT } from "../graph.ts";
import type { Node, Tensor } from "../graph.ts";
import { lowerWeights } from "../lowering/conv2d-products.ts";
import { batchSlice } from "../op.ts";
import type { Op } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { imagesOf, loadOfReading, operandsOfReading, tensorsOf } from "./reading.ts";
import type { Reading } from "./reading.ts";

/** A product by weights with prologues, whose result goes to a part of a stack's gradient. */
export interface WeightsJob {
  readonly node: Node;
  readonly geometry: Conv2dGeometry;
  readonly left: Reading;
  readonly right: Reading;
  readonly half: boolean;
  readonly to: { readonly tensor: Tensor; readonly begin: number };
}

/** Jobs that run as one, in the order of their weights, and how one follows from the other. */
export interface WeightsBatch {
  readonly jobs: readonly WeightsJob[];
  readonly layers: WeightsLayers;
}

/** What can be batched of `jobs`; every batch has two jobs or more. */
export function batchesOf(jobs: readonly WeightsJob[]): WeightsBatch[] {
  const groups = new Map<string, WeightsJob[]>();
  const number = numbering();
  for (const job of jobs) {
    const { geometry: g, left, right, to, half } = job;
    const homes = [...tensorsOf(left), ...tensorsOf(right), to.tensor].map(number);
    const extents = [g.batch, g.outHeight, g.outWidth, g.inHeight, g.inWidth, g.strideY, g.strideX];
    const kernel = [g.kernelHeight, g.kernelWidth, g.outChannels, g.padTop, g.padLeft];
    const activation = [left, right].map((reading) =>
      "activation" in reading ? reading.activation : reading.kind,
    );
    const key = [...homes, ...extents, ...kernel, ...activation, half].join();
    groups.set(key, [...(groups.get(key) ?? []), job]);
  }
  return [...groups.values()].flatMap((group) => {
    const sorted = [...group].sort((a, b) => a.to.begin - b.to.begin);
    const layers = sorted.length > 1 ? layersOf(sorted) : null;
    return layers ? [{ jobs: sorted, layers }] : [];
  });
}

/** A number for each tensor. */
function numbering(): (tensor: Tensor) => number {
  const numbers = new Map<Tensor, number>();
  return (tensor) => {
    const known = numbers.get(tensor) ?? numbers.size;
    numbers.set(tensor, known);
    return known;
  };
}

/** How the jobs follow from each other; null where they do so in another way than a kernel can. */
function layersOf(jobs: readonly WeightsJob[]): WeightsLayers | null {
  const channels = jobs.map(({ geometry }) => geometry.inChannels);
  const growth = channels[1] - channels[0];
  if (growth < 0 || !progresses(channels, growth)) return null;
  if (!jobs.every(({ to }, i) => i === 0 || to.begin === endOf(jobs[i - 1]))) return null;
  const steps: Record<string, number | "channels of x"> = {};
  const all = jobs.map(({ left, right }) => ({ ...beginsOf(left, "x"), ...beginsOf(right, "dy") }));
  for (const name of Object.keys(all[0])) {
    const begins = all.map((each) => each[name]);
    const step = begins[1] - begins[0];
    if (progresses(begins, step) && step >= 0) steps[name] = step;
    else if (name === "norm" && begins.every((begin, i) => begin === begins[0] + before(channels, i)))
      steps[name] = "channels of x";
    else return null;
  }
  return { count: jobs.length, growth, steps, alignment: STACK_ALIGNMENT };
}

const endOf = ({ to, node }: WeightsJob): number => to.begin + sizeOf(node.outputs[0].shape);

const progresses = (values: readonly number[], step: number): boolean =>
  values.every((value, i) => value === values[0] + i * step);

/** Channels of the norms before number `index` in a stack. */
const before = (channels: readonly number[], index: number): number =>
  channels.slice(0, index).reduce((sum, own) => sum + Math.ceil(own / STACK_ALIGNMENT) * STACK_ALIGNMENT, 0);

/** The first channels that a reading reads, by the names of its buffers. */
function beginsOf(reading: Reading, name: string): Record<string, number> {
  switch (reading.kind) {
    case "stored":
      return { [name]: reading.place.begin };
    case "activated":
      return { [name]: reading.x.begin, ...(reading.planes && { norm: reading.planes.begin }) };
    case "normGradient": {
      const { gradient, x, coefficients } = reading;
      return { [name]: gradient.begin, input: x.begin, coefficients: coefficients.begin };
    }
  }
}

/** The node that runs all jobs of a batch. */
export function batchedWeights({ jobs, layers }: WeightsBatch): Node {
  const [{ node, geometry, left, right, half, to }] = jobs;
  const count = endOf(jobs[jobs.length - 1]) - to.begin;
  const op: Op = {
    ...node.op,
    writes: [to.tensor],
    lower(l) {
      const ranges = l.slices([...imagesOf(left), ...imagesOf(right)]);
      const fusion = {
        left: (width: 4 | 1, begins: Begins = {}) => loadOfReading(left, "x", width, begins),
        right: (width: 4 | 1, begins: Begins = {}) => loadOfReading(right, "dy", width, begins),
        layers,
        half,
      };
      const dw = batchSlice(to.tensor, { first: to.begin, count });
      lowerWeights(l, geometry, ranges, fusion, dw, (range) => ({
        ...operandsOfReading(left, "x", range),
        ...operandsOfReading(right, "dy", range),
      }));
    },
  };
  return { ...node, op, inputs: [...tensorsOf(left), ...tensorsOf(right)] };
}
