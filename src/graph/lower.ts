import { withStorage } from "../kernels/kernel.ts";
import type { KernelTarget } from "../kernels/kernel.ts";
import { cutBatch } from "./cut-batch.ts";
import type { Bound, Dispatch } from "./dispatch.ts";
import { beginOf, storageOf } from "./graph.ts";
import type { Node, Tensor } from "./graph.ts";
import type { Lowering, Operand, Scratch } from "./op.ts";
import { PendingSums } from "./pending-sums.ts";
import { bytesOf, bytesOfItems, bytesPerItem } from "./shape.ts";
import type { DType } from "./shape.ts";

/**
 * Asks every node, in order, which kernels it runs; identities run none. `outputs` are what the caller will read. With
 * `together` the sums that nodes ask for run together with those of others; see `Lowering.sum`.
 */
export function lowerNodes(
  nodes: readonly Node[],
  outputs: Iterable<Tensor>,
  target: KernelTarget,
  { together = false }: { together?: boolean } = {},
): Dispatch[] {
  const kept = new Set([...outputs].map(storageOf));
  const computed = nodes.filter(({ op }) => !op.identity);
  const lastReader = new Map(
    computed.flatMap((node) => node.inputs.map((input) => [storageOf(input), node] as const)),
  );
  /** What lies where an input of its node lay; later nodes know it under its own name. */
  const laidOver = new Map<Tensor | Scratch, Tensor | Scratch>();
  const dispatches: Dispatch[] = [];
  const sums = new PendingSums(target, (dispatch) => dispatches.push(dispatch));
  let scratches = 0;
  const bind = (operand: Operand): Bound => {
    const bound = resolve(operand);
    return { ...bound, owner: laidOver.get(bound.owner) ?? bound.owner };
  };
  for (const group of neighbours(computed)) {
    const [node] = group;
    const lowering: Lowering = {
      target,
      dispatch(kernel, operands) {
        const unknown = Object.keys(operands).find((name) => !kernel.bindings.some((b) => b.name === name));
        if (unknown) throw new Error(`${kernel.label} has no binding "${unknown}".`);
        const bindings = kernel.bindings.map(({ name, access }) => {
          const operand = operands[name];
          if (!operand) throw new Error(`${kernel.label}: the binding "${name}" is bound to nothing.`);
          return { ...resolve(operand), access };
        });
        for (const { owner, access, bytes } of bindings) {
          if (bytes > target.maxBindingBytes) {
            throw new Error(
              `${kernel.label} binds ${bytes} bytes of "${nameOf(owner)}" at once and the adapter allows ` +
                `${target.maxBindingBytes}: use a smaller batch or image size.`,
            );
          }
          if (access === "read_write") checkWrites(group, owner, kernel.label);
        }
        const placed = bindings.map((bound) => ({
          ...bound,
          owner: laidOver.get(bound.owner) ?? bound.owner,
        }));
        if (sums.mustComeBefore(placed)) sums.run();
        const halves = Object.keys(operands).filter((name) => dtypeOf(operands[name]) === "f16");
        const storage = Object.fromEntries(halves.map((name) => [name, "f16" as const]));
        dispatches.push({ kernel: withStorage(kernel, storage), bindings: placed, node });
      },
      sum(all) {
        for (const { partials, partialCount, count, result } of all) {
          const to = bind(result);
          checkWrites(group, to.owner, "sum_over_partials");
          const half = dtypeOf(partials) === "f16";
          sums.add({ node, partials: { ...bind(partials), half }, partialCount, count, result: to });
        }
        if (!together) sums.run();
      },
      scratch: (bytes, dtype = "f32") => ({ scratch: scratches++, bytes, dtype }),
      uses: (output) => lastReader.has(output) || kept.has(output),
      overwrites(read, output) {
        const input = storageOf(read);
        if (!input.node || kept.has(input) || kept.has(output)) return false;
        if (lastReader.get(input) !== node) return false;
        if (input.dtype !== output.dtype || bytesOf(input) !== bytesOf(output)) return false;
        laidOver.set(output, laidOver.get(input) ?? input);
        return true;
      },
      slices: (tensors) => cutBatch(tensors, target),
    };
    const { op } = node;
    if (op.together)
      op.together.lower(
        lowering,
        group.map((node) => node.op.together!.item),
      );
    else if (op.lower) op.lower(lowering, node.outputs);
    else throw new Error(`${op.name} does not say how it runs.`);
  }
  sums.run();
  return dispatches;
}

/** The nodes in their order, those next to each other that run together in one group; see `Op.together`. */
function neighbours(nodes: readonly Node[]): Node[][] {
  const groups: Node[][] = [];
  for (const node of nodes) {
    const last = groups.at(-1);
    const { together } = node.op;
    if (together && last?.[0].op.together?.lower === together.lower) last.push(node);
    else groups.push([node]);
  }
  return groups;
}

const dtypeOf = (operand: Operand): DType => ("tensor" in operand ? operand.tensor.dtype : operand.dtype);

/** Where an operand lies within the tensor or scratch buffer it belongs to. */
function resolve(operand: Operand): Bound {
  if ("scratch" in operand) return { owner: operand, offset: 0, bytes: operand.bytes };
  if (!("tensor" in operand))
    return { owner: storageOf(operand), offset: 4 * beginOf(operand), bytes: bytesOf(operand) };
  const { tensor, range } = operand;
  return {
    owner: storageOf(tensor),
    offset: 4 * beginOf(tensor) + range.first * bytesPerItem(tensor),
    bytes: bytesOfItems(tensor, range.count),
  };
}

const nameOf = (owner: Tensor | Scratch): string => ("name" in owner ? owner.name : "scratch");

function checkWrites(nodes: readonly Node[], owner: Tensor | Scratch, label: string): void {
  if (nodes.some((node) => mayWrite(node, owner))) return;
  throw new Error(`${nodes[0].op.name}: ${label} writes "${nameOf(owner)}", which is not its to write.`);
}

function mayWrite(node: Node, owner: Tensor | Scratch): boolean {
  if ("scratch" in owner || owner.node === node) return true;
  return [node.op.updates, node.op.writes].some(
    (tensors) => tensors?.some((tensor) => storageOf(tensor) === owner) ?? false,
  );
}
