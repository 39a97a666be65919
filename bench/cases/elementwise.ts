/** @file `--filter "op "`: every op of the table of elementwise ops and reductions that tfjs has too (test/graph/ops/table.ts). */
import { Graph } from "../../src/graph/graph.ts";
import type { Shape } from "../../src/graph/shape.ts";
import { TABLE } from "../../test/graph/ops/table.ts";
import type { TableEntry } from "../../test/graph/ops/table.ts";
import type { BenchCase } from "../bench-case.ts";
import type { NetworkSize } from "./convolutions.ts";
import { opCases } from "./op-cases.ts";
import type { OpInput } from "./op-cases.ts";

const isFloats = ({ domains }: TableEntry): boolean => !domains.some((domain) => "below" in domain);
const isPositive = (domain: TableEntry["domains"][number]): boolean => "0" in domain && domain[0] > 0;

export function elementwiseCases({ batch, size }: NetworkSize): BenchCase[] {
  const shape = [batch, size, size, 64];
  return TABLE.flatMap((entry) => {
    const { name, build, theirs, domains, constant } = entry;
    if (!theirs || !isFloats(entry)) return [];
    const inputs = Object.fromEntries(
      domains.map((domain, i): [string, OpInput] => [`x${i}`, { shape, positive: isPositive(domain) }]),
    );
    const moved = domains.map((): Shape => shape);
    const graph = new Graph();
    const result = build(...domains.map((_, i) => graph.input(`x${i}`, shape))).shape;
    return opCases({
      ...{ name: `op ${name}`, shape, inputs },
      ours: (by) => build(...Object.values(by)),
      theirs: (by) => theirs(...Object.values(by)),
      rows: [
        { what: "forward", moves: [...moved, result] },
        ...(constant
          ? []
          : [{ what: "backward", wrt: Object.keys(inputs), moves: [...moved, ...moved, result] }]),
      ],
    });
  });
}
