/** @file `--filter "op "`: every op of the table of elementwise ops and reductions that tfjs has too (test/graph/ops/table.ts). */
import { Graph } from "../../src/graph/graph.ts";
import type { Shape } from "../../src/graph/shape.ts";
import { TABLE } from "../../test/graph/ops/table.ts";
import type { Domain } from "../../test/graph/ops/table-entry.ts";
import type { BenchCase } from "../bench-case.ts";
import type { NetworkSize } from "./convolutions.ts";
import { opCases } from "./op-cases.ts";
import type { OpInput } from "./op-cases.ts";

const isPositive = (domain: Domain): boolean => "0" in domain && domain[0] > 0;

export function elementwiseCases({ batch, size }: NetworkSize): BenchCase[] {
  const images = [batch, size, size, 64];
  return TABLE.flatMap((entry) => {
    const { name, build, theirs, domains, constant, bench = domains.map(() => images) } = entry;
    // What compares or casts whole numbers is no other work than of floats.
    if (!theirs || (!entry.bench && domains.some((domain) => "below" in domain))) return [];
    const inputs = Object.fromEntries(
      domains.map((domain, i): [string, OpInput] => [
        `x${i}`,
        {
          shape: bench[i],
          positive: isPositive(domain),
          ...("below" in domain && { below: Math.min(...bench[0]) }),
        },
      ]),
    );
    const graph = new Graph();
    const tensors = domains.map((domain, i) =>
      graph.input(`x${i}`, bench[i], "below" in domain ? "u32" : "f32"),
    );
    const result = build(...tensors).shape;
    const learned = Object.keys(inputs).filter((_, i) => !("below" in domains[i]));
    const moved = learned.map((_, i): Shape => bench[i]);
    return opCases({
      ...{ name: `op ${name}`, shape: bench[0], inputs },
      ours: (by) => build(...Object.values(by)),
      theirs: (by) => theirs(...Object.values(by)),
      rows: [
        { what: "forward", moves: [...(entry.bench ? [] : moved), ...(entry.bench ? [result] : []), result] },
        ...(constant ? [] : [{ what: "backward", wrt: learned, moves: [...moved, ...moved, result] }]),
      ],
    });
  });
}
