import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { conv2d, dense, flatten, sequential } from "../../../src/layers.ts";

const names = (graph: Graph): string[] => [...graph.variables.keys()];
const useBias = false;

describe("names of layers", () => {
  it("are Keras's, numbered in the order of use", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 6, 6, 1]);
    sequential([
      conv2d(2, 3, { useBias }),
      conv2d(2, 3),
      flatten(),
      dense(3, { useBias }),
      dense(4, { useBias }),
    ])(x);
    expect(names(graph)).toEqual([
      "conv2d/kernel",
      "conv2d_1/kernel",
      "conv2d_1/bias",
      "dense/kernel",
      "dense_1/kernel",
    ]);
  });

  it("are the same in every graph: of the same layers, and of new ones in the same order", () => {
    const [first, second] = [dense(3, { useBias }), dense(4, { useBias })];
    const [a, b, c] = [new Graph(), new Graph(), new Graph()];
    second(first(a.input("x", [2, 5])));
    // Of the second alone too.
    second(b.input("x", [2, 3]));
    dense(4, { useBias })(dense(3, { useBias })(c.input("x", [2, 5])));
    expect(names(a)).toEqual(["dense/kernel", "dense_1/kernel"]);
    expect(names(b)).toEqual(["dense_1/kernel"]);
    expect(names(c)).toEqual(names(a));
  });

  it("are shared by a layer that is applied twice, and never by two layers", () => {
    const graph = new Graph();
    const x = graph.input("x", [2, 3]);
    const twice = dense(3, { useBias });
    twice(twice(x));
    expect(names(graph)).toEqual(["dense/kernel"]);
    dense(3, { name: "mine" })(x);
    expect(() => dense(3, { name: "mine" })(x)).toThrow(
      'Two layers of the graph are called "mine" and would share their variables: give one of them another `name`, or apply one ' +
        "layer twice to share them.",
    );
    // It was named where nothing had its name.
    const elsewhere = dense(3, { useBias });
    elsewhere(new Graph().input("x", [2, 3]));
    expect(() => elsewhere(x)).toThrow('Two layers of the graph are called "dense"');
  });

  it("begin with the name of what they are in", () => {
    const graph = new Graph();
    const inner = sequential([dense(3, { useBias })], { name: "inner" });
    sequential([inner, dense(2, { useBias, name: "head" }), dense(2, { useBias })], { name: "outer" })(
      graph.input("x", [2, 3]),
    );
    expect(names(graph)).toEqual(["outer/inner/dense/kernel", "outer/head/kernel", "outer/dense/kernel"]);
  });
});
