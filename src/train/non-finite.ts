import type { Gpu } from "../gpu/gpu.ts";
import type { Node, Tensor } from "../graph/graph.ts";
import { plan } from "../graph/plan.ts";
import type { Goals } from "../graph/plan.ts";
import { compile } from "../graph/compile.ts";
import type { Feeds } from "../graph/program.ts";
import { bytesOf, shapeText } from "../graph/shape.ts";
import type { Variables } from "../graph/variables.ts";
import { kernelTarget } from "../graph/kernel-target.ts";
import type { TileFor } from "../kernels/tiling.ts";

/** Bytes of tensors that are brought to the host in one go. */
const CHUNK_BYTES = 2 ** 27;

/**
 * Looks for the first tensor that holds an infinity or no number: among the variables, then in the order in which a
 * training step computes its tensors (the updates are left out, so that nothing is learned). Slow and thorough, for a
 * run that has gone wrong.
 *
 * @param tileFor chooses the tiles of the run, for the same bits.
 * @returns how to call it in a sentence; null when every tensor is finite.
 */
export async function firstNonFinite(
  gpu: Gpu,
  variables: Variables,
  goals: Goals,
  feeds: Feeds,
  tileFor?: TileFor,
): Promise<string | null> {
  for (const [name, { data }] of await variables.readAll())
    if (!data.every(Number.isFinite)) return `"${name}"`;
  const nodes = new Set(plan(goals, kernelTarget(gpu, tileFor)).dispatches.map(({ node }) => node));
  const tensors = [...nodes]
    .filter(({ op }) => !op.updates?.length)
    .flatMap(({ outputs }) => outputs.filter(({ dtype }) => dtype !== "u32"));
  for (const chunk of chunks(tensors)) {
    const outputs = Object.fromEntries(chunk.map((tensor) => [tensor.name, tensor]));
    const program = await compile(gpu, { outputs, variables, tileFor });
    try {
      const wanted = program.plan.inputs.map(({ name }) => [name, feeds[name]]);
      const values = await program.run(Object.fromEntries(wanted) as Feeds);
      const broken = chunk.find(({ name }) => !(values[name] as Float32Array).every(Number.isFinite));
      if (broken) return describe(broken);
    } finally {
      program.destroy();
    }
  }
  return null;
}

function* chunks(tensors: readonly Tensor[]): Generator<Tensor[]> {
  let chunk: Tensor[] = [];
  let bytes = 0;
  for (const tensor of tensors) {
    if (chunk.length > 0 && bytes + bytesOf(tensor) > CHUNK_BYTES) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(tensor);
    bytes += bytesOf(tensor);
  }
  if (chunk.length > 0) yield chunk;
}

/** `conv2d [4, 16, 16, 128] at "conv3_block2_1_conv/kernel"`: what made it and the parameter nearest before it. */
function describe({ node, name, shape }: Tensor): string {
  const near = node && nearestVariable(node);
  return `${node?.op.name ?? name} ${shapeText(shape)}${near ? ` at "${near}"` : ""}`;
}

function nearestVariable(node: Node): string | null {
  const seen = new Set<Node>([node]);
  for (const { inputs } of seen) {
    const variable = inputs.find((input) => input.variable);
    if (variable) return variable.name;
    // Of two as near, an op's weights come last.
    for (const input of inputs.toReversed()) if (input.node) seen.add(input.node);
  }
  return null;
}
