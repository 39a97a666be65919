import type { KernelTarget } from "../kernels/kernel.ts";
import { fuse } from "./fuse/fuse.ts";
import { beginOf, storageOf } from "./graph.ts";
import type { Node, Tensor } from "./graph.ts";
import { hostWorkOf } from "./host-work.ts";
import type { HostWork } from "./host-work.ts";
import { lowerNodes } from "./lower.ts";
import type { Dispatch } from "./dispatch.ts";
import type { Scratch } from "./op.ts";
import { printPlan } from "./print.ts";
import { bytesOf, sizeOf } from "./shape.ts";
import type { DType } from "./shape.ts";
import { moveTaps } from "./taps.ts";
import type { Tap } from "./taps.ts";

/** The types of tensors, by the names that a program gives them. */
export type NamedTypes = Readonly<Record<string, DType>>;

/** What a program should compute. */
export interface Goals<Outputs extends NamedTypes = NamedTypes> {
  /** Tensors to be read after a run, by the name the caller will know them by. */
  readonly outputs: { readonly [Name in keyof Outputs]: Tensor<Outputs[Name]> };
  /** Nodes to be run for what they change: an optimizer's updates, moving averages. */
  readonly updates?: readonly Node[];
  /**
   * Nodes like those of `updates`, by name, that do not wait for the end of a run: each runs as soon as all that it reads has been
   * computed, in the order of the record, and what it has updated can be read then, while the rest runs (`RunOptions.tapped`). An
   * example is the sum of gradients that travel to other machines while the backward pass goes on.
   */
  readonly taps?: Readonly<Record<string, Node>>;
}

/** What a program should compute, and how it may be planned. */
export interface PlanOptions<Outputs extends NamedTypes = NamedTypes> extends Goals<Outputs> {
  /** Runs several ops as one where it can, as by default; see `fuse/fuse.ts`. */
  readonly fuse?: boolean;
}

/** What will run and where everything lies; pure data, made without a GPU. */
export interface Plan {
  /** In the order in which they run. */
  readonly dispatches: readonly Dispatch[];
  /** What has to be fed. */
  readonly inputs: readonly Tensor[];
  /** What is read or changed of what lives between runs. */
  readonly variables: readonly Tensor[];
  /** Those asked for; of an identity, what it was made of. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** When the updates of `Goals.taps` have run, and what they update, in the order in which they run. */
  readonly taps: ReadonlyMap<string, Tap>;
  /** Where a run stops for the host. */
  readonly hostWork: readonly HostWork[];
  /** Bytes of each block of the arena. */
  readonly blocks: readonly number[];
  /** The block each computed tensor and scratch buffer lies in; tenants of one block never live at the same time. */
  readonly blockOf: ReadonlyMap<Tensor | Scratch, number>;
  /** How long each tenant of the arena lives, in the order in which they are first touched. */
  readonly lifetimes: readonly Lifetime[];
  /** What the program will cost. */
  readonly summary: PlanSummary;
  /** The plan as a table: one line a dispatch, with what it binds, its tile and its floating-point operations; totals. */
  print(): string;
}

/** The life of a computed tensor or scratch buffer, in numbers of dispatches from 0. */
export interface Lifetime {
  /** Who lives. */
  readonly owner: Tensor | Scratch;
  /** What it takes of its block, in bytes. */
  readonly bytes: number;
  /** The first dispatch that touches it. */
  readonly first: number;
  /** The last dispatch that touches it; for an output, which is read after the run, the number of dispatches. */
  readonly last: number;
}

/** What a program costs. */
export interface PlanSummary {
  /** Dispatches a run. */
  readonly dispatches: number;
  /** Distinct shaders. */
  readonly pipelines: number;
  /** Bytes of the arena: everything computed in a step. */
  readonly arenaBytes: number;
  /** Bytes of what is fed. */
  readonly inputBytes: number;
  /** Bytes of the variables that the program reads or changes, shared ones too. */
  readonly variableBytes: number;
  /** All of the above: what the program holds on the GPU while it lives. */
  readonly peakBytes: number;
}

/**
 * Decides what must run for `goals`, in which order, and lays every computed tensor into the arena by its lifetime.
 *
 * Nodes run in the order they were made, updates of variables last but for `taps`, and behind them what reads these (`Op.afterUpdates`). The arena is a set of blocks, each one a buffer:
 * WebGPU tracks hazards and read-only bindings by whole buffers, so tensors of one dispatch must not share one.
 * Tensors are placed largest first, each into the smallest block that is free for its whole life (greedy by size for
 * shared objects; Pisarchyk & Lee 2020, "Efficient Memory Management for Deep Neural Net Inference").
 *
 * @throws Error when there is nothing to compute, an output is no tensor, a tap updates nothing, a node reads a variable after it was updated, or when something exceeds the adapter's limits.
 */
export function plan(goals: PlanOptions, target: KernelTarget): Plan {
  checkGoals(goals);
  const outputs = new Map(Object.entries(goals.outputs).map(([name, tensor]) => [name, storageOf(tensor)]));
  const { updates = [], taps: tapped = {} } = goals;
  const scheduled = schedule(outputs.values(), [...updates, ...Object.values(tapped)]);
  const fuses = goals.fuse !== false;
  const nodes = fuses ? fuse(scheduled, [...outputs.values()], target) : scheduled;
  const lowered = lowerNodes(nodes, outputs.values(), target, { together: fuses });
  const { dispatches, taps } = moveTaps(lowered, tapped);

  const inputs = new Set<Tensor>();
  const variables = new Set<Tensor>();
  for (const tensor of [...nodes.flatMap(({ inputs }) => inputs), ...outputs.values()]) {
    if (tensor.variable) variables.add(tensor);
    else if (!tensor.node) inputs.add(tensor);
  }

  const lifetimes = findLifetimes(dispatches, outputs.values());
  const { blocks, blockOf } = assign(lifetimes);
  const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
  const arenaBytes = sum(blocks);
  const inputBytes = sum([...inputs].map(bytesOf));
  const variableBytes = sum([...variables].map(bytesOf));
  const planned = {
    dispatches,
    inputs: [...inputs],
    variables: [...variables],
    outputs,
    taps,
    hostWork: hostWorkOf(dispatches),
    blocks,
    blockOf,
    lifetimes,
    summary: {
      dispatches: dispatches.length,
      pipelines: new Set(dispatches.map(({ kernel }) => kernel.wgsl)).size,
      arenaBytes,
      inputBytes,
      variableBytes,
      peakBytes: arenaBytes + inputBytes + variableBytes,
    },
  };
  return { ...planned, print: () => printPlan(planned) };
}

/** What types do not tell whoever writes JavaScript. */
function checkGoals({ outputs, updates = [], taps = {} }: Partial<PlanOptions>): void {
  const entries = Object.entries<Partial<Tensor> | undefined>(outputs ?? {});
  if (entries.length === 0 && updates.length === 0 && Object.keys(taps).length === 0)
    throw new Error("There is nothing to compute: name a tensor in `outputs`, or give `updates`.");
  for (const [name, tensor] of entries) {
    if (!tensor?.graph) throw new Error(`The output "${name}" is no tensor of a graph.`);
  }
}

/** The nodes needed, in order of creation, with those that update variables moved to the end. */
function schedule(outputs: Iterable<Tensor>, updates: readonly Node[]): Node[] {
  const needed = new Set<Node>();
  const pending: Node[] = [...updates];
  for (const { node } of outputs) if (node) pending.push(node);
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) if (input.node) pending.push(input.node);
  }
  const [any] = needed;
  const computed = ({ node }: Tensor): boolean =>
    !node ||
    needed.has(node) ||
    ((node.op.identity ?? node.op.derived ?? false) && node.inputs.every(computed));
  const need = (node: Node): void => {
    needed.add(node);
    for (const input of node.inputs) if (input.node && !needed.has(input.node)) need(input.node);
  };
  for (const node of any?.graph.nodes ?? []) {
    if (node.op.automatic && node.inputs.every(computed)) need(node);
  }
  const order = [...needed].sort((a, b) => a.index - b.index);
  const changes = (node: Node): boolean => (node.op.updates?.length ?? 0) > 0;
  const last = ({ op }: Node): boolean => op.afterUpdates ?? false;
  const nodes = [
    ...order.filter((node) => !changes(node)),
    ...order.filter((node) => changes(node) && !last(node)),
    ...order.filter(last),
  ];

  const updated = new Map<Tensor, { readonly variable: Tensor; readonly by: Node }[]>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const earlier = updated.get(storageOf(input))?.find(({ variable }) => overlap(variable, input));
      if (earlier && !node.op.identity && !node.op.afterUpdates) {
        throw new Error(
          `${node.op.name} would use "${input.name}" after ${earlier.by.op.name} has updated it.`,
        );
      }
    }
    for (const variable of node.op.updates ?? []) {
      const storage = storageOf(variable);
      updated.set(storage, [...(updated.get(storage) ?? []), { variable, by: node }]);
    }
  }
  return nodes;
}

/** Whether two tensors of one storage have elements in common. */
function overlap(a: Tensor, b: Tensor): boolean {
  const [first, second] = [a, b].map((tensor) => ({ begin: beginOf(tensor), size: sizeOf(tensor.shape) }));
  return first.begin < second.begin + second.size && second.begin < first.begin + first.size;
}

/** From the dispatch that first touches a value to the last one that does; outputs live to the end. */
function findLifetimes(dispatches: readonly Dispatch[], outputs: Iterable<Tensor>): Lifetime[] {
  const lives = new Map<Tensor | Scratch, { -readonly [Key in keyof Lifetime]: Lifetime[Key] }>();
  dispatches.forEach(({ bindings }, i) => {
    for (const { owner } of bindings) {
      if (!("scratch" in owner) && !owner.node) continue;
      const life = lives.get(owner);
      if (life) life.last = i;
      else
        lives.set(owner, {
          owner,
          bytes: "scratch" in owner ? owner.bytes : bytesOf(owner),
          first: i,
          last: i,
        });
    }
  });
  for (const tensor of outputs) {
    const life = lives.get(tensor);
    if (life) life.last = dispatches.length;
  }
  return [...lives.values()];
}

function assign(lifetimes: readonly Lifetime[]): {
  blocks: number[];
  blockOf: Map<Tensor | Scratch, number>;
} {
  const blocks: { bytes: number; tenants: Lifetime[] }[] = [];
  const blockOf = new Map<Tensor | Scratch, number>();
  const bySize = [...lifetimes].sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  for (const life of bySize) {
    // Blocks are made largest first, so the last one that is free is the tightest fit.
    let block = blocks.findLastIndex(({ tenants }) =>
      tenants.every((t) => t.last < life.first || life.last < t.first),
    );
    if (block < 0) block = blocks.push({ bytes: life.bytes, tenants: [] }) - 1;
    blocks[block].tenants.push(life);
    blockOf.set(life.owner, block);
  }
  return { blocks: blocks.map(({ bytes }) => bytes), blockOf };
}
