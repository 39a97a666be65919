/** @file Graphs as tables that a person can read. */
import { textTable } from "../text-table.ts";
import { shapeText } from "./shape.ts";
import type { TensorType } from "./shape.ts";

interface PrintedTensor extends TensorType {
  readonly id: number;
  readonly name: string;
  readonly variable: { readonly role: string } | null;
}

interface PrintedNode {
  readonly op: { readonly name: string; readonly updates?: readonly { readonly name: string }[] };
  readonly inputs: readonly PrintedTensor[];
  readonly outputs: readonly PrintedTensor[];
}

/** A graph, as far as it is printed. */
interface PrintedGraph {
  readonly inputs: ReadonlyMap<string, PrintedTensor>;
  readonly variables: ReadonlyMap<string, PrintedTensor>;
  readonly nodes: readonly PrintedNode[];
}

/**
 * One line a tensor, in the order in which they were made: the op that makes it (`input` or the role of a variable where
 * none does), its name, shape and type, and what it is made of. An op without outputs has a line with what it updates.
 */
export function printGraph(graph: PrintedGraph): string {
  const rows = [...graph.inputs.values(), ...graph.variables.values()].map((tensor) => ({
    id: tensor.id,
    cells: [[tensor.variable?.role ?? "input", ...described(tensor)]],
  }));
  // A node without outputs goes where its inputs are all there.
  for (const node of graph.nodes)
    rows.push({
      id: node.outputs[0]?.id ?? Math.max(...node.inputs.map(({ id }) => id)) + 0.5,
      cells: nodeRows(node),
    });
  const lines = rows.sort((a, b) => a.id - b.id).flatMap(({ cells }) => cells);
  return textTable([["op", "tensor", "shape", "type", "of"], ...lines]);
}

function nodeRows({ op, inputs, outputs }: PrintedNode): string[][] {
  const of = inputs.map(({ name }) => name).join(", ");
  if (outputs.length === 0)
    return [[op.name, `updates ${(op.updates ?? []).map(({ name }) => name).join(", ")}`, "", "", of]];
  return outputs.map((tensor, i) =>
    i === 0 ? [op.name, ...described(tensor), of] : ["", ...described(tensor)],
  );
}

const described = ({ name, shape, dtype }: PrintedTensor): string[] => [name, shapeText(shape), dtype];
