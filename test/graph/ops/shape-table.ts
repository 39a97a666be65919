/** @file The ops of the table that put numbers elsewhere, or take some of them; see table.ts. */
import * as theirs from "@tensorflow/tfjs-core";
import { argmax } from "../../../src/graph/ops/argmax.ts";
import { multiply } from "../../../src/graph/ops/binary.ts";
import { concat } from "../../../src/graph/ops/concat.ts";
import { gather } from "../../../src/graph/ops/gather.ts";
import { oneHot } from "../../../src/graph/ops/one-hot.ts";
import { pad } from "../../../src/graph/ops/pad.ts";
import { slice } from "../../../src/graph/ops/slice.ts";
import { split, stack, unstack } from "../../../src/graph/ops/split.ts";
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

/** Along the last axis, the first and one between: sizes in fours and not. */
const concats = [0, 1, -1].map((axis): TableEntry => ({
  name: `concat along axis ${axis}`,
  build: (a, b) => concat([a, b, a], { axis }),
  domains: [ANY, ANY],
  shapes: [
    [8, 4, 16],
    [3, 5, 7],
    [8, 8, 16],
    [1, 1, 1],
  ].map((shape) => [shape, shape.map((extent, i) => (i === (axis + 3) % 3 ? extent + 4 : extent))]),
  reference(a, b) {
    const own = (axis + 3) % 3;
    const all = [a, b, a];
    const shape = a.shape.map((extent, i) => (i === own ? 2 * extent + b.shape[i] : extent));
    return made(shape, (places) => {
      let place = places[own];
      const part = all.find(({ shape }) => (place -= shape[own]) < 0)!;
      return at(
        part,
        places.map((each, i) => (i === own ? place + part.shape[own] : each)),
      );
    });
  },
  theirs: (a, b) => theirs.concat([a, b, a], axis),
  bench: [
    [64, 64, 64],
    [64, 64, 64],
  ],
}));

/** The part of each axis that is taken: at its begin, its end, or both cut off. */
const slices = [
  ["some rows", [1, 0, 0], [-1, -1, -1]],
  ["some of each axis", [1, 2, 1], [2, 3, 4]],
  ["in fours", [0, 1, 4], [-1, 3, 4]],
].map(([name, begin, size]): TableEntry => {
  const [from, extents] = [begin as Shape, size as Shape];
  return {
    name: `slice of ${name as string}`,
    build: (x) => slice(x, from, extents),
    domains: [ANY],
    shapes: [[[5, 6, 8]], [[9, 8, 32]], [[3, 5, 9]]],
    reference(x) {
      const shape = x.shape.map((extent, i) => (extents[i] === -1 ? extent - from[i] : extents[i]));
      return made(shape, (places) =>
        at(
          x,
          places.map((place, i) => place + from[i]),
        ),
      );
    },
    theirs: (x) => theirs.slice(x, [...from], [...extents]),
    bench: [[64, 64, 64]],
  };
});

type Paddings = readonly (readonly [number, number])[];
/** What is added around each axis, and a shape that is larger than bindings are where they are small. */
// prettier-ignore
const PADDINGS: readonly (readonly [Paddings, Shape])[] = [
  [[[0, 0], [1, 2], [0, 0]], [8, 5, 32]],
  [[[2, 1], [0, 3], [1, 0]], [8, 5, 15]],
  [[[1, 0], [0, 0], [4, 8]], [15, 4, 20]],
  [[[0, 5], [0, 0], [0, 0]], [8, 12, 16]],
];
const pads = PADDINGS.map(([paddings, large]): TableEntry => ({
  name: `pad by [${paddings.map((pair) => pair.join("+")).join(", ")}]`,
  build: (x) => pad(x, paddings, 0.5),
  domains: [ANY],
  shapes: [[[3, 5, 7]], [large], [[1, 1, 1]]],
  reference: (x) =>
    made(
      x.shape.map((extent, i) => extent + paddings[i][0] + paddings[i][1]),
      (places) => {
        const own = places.map((place, i) => place - paddings[i][0]);
        return own.every((place, i) => place >= 0 && place < x.shape[i]) ? at(x, own) : 0.5;
      },
    ),
  theirs: (x) =>
    theirs.pad(
      x,
      paddings.map(([before, after]): [number, number] => [before, after]),
      0.5,
    ),
  bench: [[64, 64, 64]],
}));

const argmaxes = [0, 1, -1].map((axis): TableEntry => ({
  name: `argmax along axis ${axis}`,
  build: (x) => argmax(x, { axis }),
  // Many are equal.
  domains: [{ levels: 5 }],
  shapes: [[[3, 5, 7]], [[40, 16, 8]], [[1, 1, 1]]],
  constant: true,
  reference(x) {
    const own = (axis + 3) % 3;
    const shape = x.shape.filter((_, i) => i !== own);
    return made(shape, (places) => {
      const line = Array.from({ length: x.shape[own] }, (_, i) =>
        at(x, [...places.slice(0, own), i, ...places.slice(own)]),
      );
      return line.indexOf(Math.max(...line));
    });
  },
  theirs: (x) => theirs.argMax(x, axis),
  bench: [[64, 64, 64]],
}));

export const SHAPE_TABLE: readonly TableEntry[] = [
  ...transposes,
  ...concats,
  ...slices,
  ...pads,
  {
    name: "split, of which one part is unused",
    build(x) {
      const [first, , last] = split(x, [1, 2, 2], { axis: 1 });
      return multiply(first, last);
    },
    domains: [ANY],
    shapes: [[[3, 5, 7]], [[16, 5, 32]], [[1, 5, 1]]],
    reference: (x) =>
      made([x.shape[0], 2, x.shape[2]], ([i, j, k]) => at(x, [i, 0, k]) * at(x, [i, 3 + j, k])),
  },
  {
    name: "stack of what is unstacked",
    build: (x) => stack(unstack(x, { axis: 1 }), { axis: -1 }),
    domains: [ANY],
    shapes: [[[3, 5, 7]], [[16, 4, 32]], [[1, 1, 1]]],
    reference: (x) => made([x.shape[0], x.shape[2], x.shape[1]], ([i, j, k]) => at(x, [i, k, j])),
  },
  ...argmaxes,
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
