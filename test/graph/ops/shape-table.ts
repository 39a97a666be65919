/** @file The ops of the table that put numbers elsewhere, or take some of them; see table.ts. */
import * as theirs from "@tensorflow/tfjs-core";
import { gather } from "../../../src/graph/ops/gather.ts";
import { oneHot } from "../../../src/graph/ops/one-hot.ts";
import { transpose } from "../../../src/graph/ops/transpose.ts";
import { sizeOf } from "../../../src/graph/shape.ts";
import type { Shape } from "../../../src/graph/shape.ts";
import type { Domain, TableEntry, Values } from "./table-entry.ts";

const ANY: Domain = [-3, 3];

/** The place along each axis of number `index` of a tensor. */
const placesOf = (index: number, shape: Shape): number[] =>
  shape.map((extent, axis) => Math.floor(index / sizeOf(shape.slice(axis + 1))) % extent);

const indexOf = (places: readonly number[], shape: Shape): number =>
  places.reduce((sum, place, axis) => sum + place * sizeOf(shape.slice(axis + 1)), 0);

/** A tensor whose number at each place `f` says. */
const made = (shape: Shape, f: (places: number[]) => number): Values => ({
  shape,
  data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => f(placesOf(i, shape))),
});

const at = ({ shape, data }: Values, places: readonly number[]): number => data[indexOf(places, shape)];

const transposes = [[2, 0, 1], [0, 2, 1], [1, 0, 2], undefined].map((axes): TableEntry => ({
  name: `transpose by ${axes ? `[${axes.join(", ")}]` : "all axes"}`,
  build: (x) => transpose(x, axes),
  domains: [ANY],
  shapes: [[[3, 5, 7]], [[8, 12, 16]], [[1, 4, 1]]],
  reference(x) {
    const order = axes ?? [2, 1, 0];
    return made(
      order.map((axis) => x.shape[axis]),
      (places) =>
        at(
          x,
          order.map((_, axis) => places[order.indexOf(axis)]),
        ),
    );
  },
  theirs: (x) => theirs.transpose(x, axes),
  bench: [[128, 128, 64]],
}));

/** Larger than bindings are where they are small. */
const LARGE: readonly (readonly [number, ...(readonly Shape[][])])[] = [
  [
    0,
    [
      [70, 16],
      [12, 5],
    ],
    [[9, 64], [40]],
  ],
  [1, [[10, 9, 16], [12]]],
  [-1, [[200, 8], [12]]],
];

const gathers = LARGE.map(([axis, ...large]): TableEntry => ({
  name: `gather along axis ${axis}`,
  build: (x, indices) => gather(x, indices, { axis }),
  // Some of them are of no row, and many of the same.
  domains: [ANY, { below: 9 }],
  shapes: [
    [
      [7, 7, 7],
      [3, 5],
    ],
    [[8, 8, 8], [40]],
    [[1, 3, 1], [4]],
    [[3, 5, 4], []],
    ...large,
  ],
  reference(x, indices) {
    const own = axis < 0 ? axis + x.shape.length : axis;
    const shape = [...x.shape.slice(0, own), ...indices.shape, ...x.shape.slice(own + 1)];
    return made(shape, (places) => {
      const index = at(indices, places.slice(own, own + indices.shape.length));
      if (index >= x.shape[own]) return 0;
      return at(x, [...places.slice(0, own), index, ...places.slice(own + indices.shape.length)]);
    });
  },
  theirs: (x, indices) => theirs.gather(x, indices, axis),
  bench: [[64, 64, 64], [512]],
}));

export const SHAPE_TABLE: readonly TableEntry[] = [
  ...transposes,
  ...gathers,
  {
    name: "oneHot",
    build: (indices) => oneHot(indices, 7),
    domains: [{ below: 9 }],
    shapes: [[[3, 5]], [[200, 3]], [[1]], [[]]],
    constant: true,
    reference: (indices) =>
      made([...indices.shape, 7], (places) => Number(at(indices, places.slice(0, -1)) === places.at(-1))),
    theirs: (indices) => theirs.oneHot(indices, 7),
  },
];
