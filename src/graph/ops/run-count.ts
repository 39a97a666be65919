import { countRun } from "../../kernels/count-run.ts";
import type { Graph, Tensor } from "../graph.ts";
import { zeros } from "../initializers.ts";
import { elementwise } from "./elementwise.ts";

const COUNTS = new WeakMap<Graph, Map<string, Tensor<"u32">>>();

/**
 * How many runs there have been of programs that use this count, a u32 scalar: 0 in the first, as `step` of {@link dropout} for example. It is
 * kept in the variable `name`, so programs that share variables go on counting, and a checkpoint has it. After 2²⁴ − 1 comes 0.
 */
export function runCount(graph: Graph, name: string): Tensor<"u32"> {
  const known = COUNTS.get(graph)?.get(name);
  if (known) return known;
  const count = graph.state(name, [], zeros);
  const run = elementwise<"u32">("run_count", "U(a)", { a: count }, { dtype: "u32", gradients: {} });
  graph.apply(
    {
      name: "count_run",
      family: "copy",
      outputs: [],
      updates: [count],
      automatic: true,
      lower: (l) => l.dispatch(countRun(l.target), { run, count }),
    },
    [run, count],
  );
  COUNTS.set(graph, (COUNTS.get(graph) ?? new Map<string, Tensor<"u32">>()).set(name, run));
  return run;
}
