/** @file What is done to programs with stacks of parameters: a gradient lies in its stack from the start. */
import type { Rewriting } from "../op.ts";
import { fuseJoins } from "./joins.ts";
import { readersOf } from "./readers.ts";
import { storingParts } from "./stored-parts.ts";

/** Brought by the gradient of a stack. */
export const stacks: Rewriting = {
  includes: [],
  run(nodes, outputs) {
    const joins = fuseJoins(nodes, readersOf(nodes, outputs));
    const stored = nodes.map((node) => storingParts(node, joins) ?? node);
    const joined = new Map(joins.replacements());
    return nodes.flatMap((node, i) => joined.get(node) ?? stored[i]);
  },
};
