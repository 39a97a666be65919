/**
 * @file Machine code as the driver prints it: where the loops are. Two prints are read: LLVM's disassembly
 * (`\tv_fmac_f32_e32 v1, v2, v3 ; 560…`) and, for cards that the driver's LLVM does not know yet, that of Mesa's own compiler
 * (`v1: %4:v[9] = v_fmac_f32 …`). Both begin a basic block with a label of its own, `BB12`.
 */

/** One instruction. */
export interface Instruction {
  /** Without the suffix of its encoding: `v_fmac_f32`. */
  readonly opcode: string;
  /** What stands behind it. */
  readonly operands: string;
  /** The second half of a dual-issued pair (`v_dual_fmac_f32 … :: v_dual_mul_f32 …`). */
  readonly paired?: Instruction;
}

/** Instructions in the order in which they stand, with the blocks' beginnings and the branches between them. */
export interface MachineCode {
  readonly instructions: readonly Instruction[];
  /** Of each block the number of its first instruction. */
  readonly blocks: ReadonlyMap<string, number>;
  /** By the number of the branch instruction: the block it goes to. */
  readonly branches: ReadonlyMap<number, string>;
}

/** Instructions `first` to `last`, both included: what lies between a block and the branch that goes back to it. */
export interface Loop {
  readonly first: number;
  readonly last: number;
}

const LABEL = /^(BB\d+)\b/;
const OPCODE = /^(?:[vs]|ds|buffer|global|flat|scratch|image|tbuffer|exp|lds)_\w+$/;
const ENCODING = /_(?:e32|e64|dpp|sdwa|e64_dpp)$/;
const REPEATED = /^\s*\(then repeated (\d+) times\)/;

/** Reads what `VK_KHR_pipeline_executable_properties` calls "Assembly". */
export function parseMachineCode(text: string): MachineCode {
  const instructions: Instruction[] = [];
  const blocks = new Map<string, number>();
  const branches = new Map<number, string>();
  for (const line of text.split("\n")) {
    const label = LABEL.exec(line)?.[1];
    if (label !== undefined) {
      blocks.set(label, instructions.length);
      continue;
    }
    const repeated = REPEATED.exec(line)?.[1];
    if (repeated !== undefined) {
      const last = instructions.at(-1);
      for (let i = 0; last && i < Number(repeated); i++) instructions.push(last);
      continue;
    }
    if (!/^\s/.test(line)) continue;
    const instruction = instructionOf(line);
    if (instruction === null) continue;
    const target = /branch/.test(instruction.opcode) ? /\bBB\d+\b/.exec(line)?.[0] : undefined;
    if (target !== undefined) branches.set(instructions.length, target);
    instructions.push(instruction);
  }
  return { instructions, blocks, branches };
}

function instructionOf(line: string): Instruction | null {
  const [code] = line.split(";");
  const [instruction, paired] = code.split("::").map(halfOf);
  return instruction && paired ? { ...instruction, paired } : (instruction ?? null);
}

function halfOf(text: string): Instruction | null {
  // What is written to stands before it in the compiler's own print.
  const [, word, operands] = /^(?:.* = )?\s*(\S+)\s*(.*?)\s*$/.exec(text) ?? ["", "", ""];
  return OPCODE.test(word) ? { opcode: word.replace(ENCODING, ""), operands } : null;
}

/** The loops: all that lies between a block and a later branch back to it. A block that several go back to is one loop. */
export function loopsOf({ blocks, branches }: MachineCode): Loop[] {
  const lasts = new Map<number, number>();
  for (const [last, block] of branches) {
    const first = blocks.get(block);
    if (first !== undefined && first <= last) lasts.set(first, Math.max(last, lasts.get(first) ?? 0));
  }
  return [...lasts].map(([first, last]) => ({ first, last }));
}

/** A loop by its instructions. */
export interface LoopBody {
  readonly body: readonly Instruction[];
  /** Of the next loop around it, those that are not its own; null where there is none. */
  readonly around: readonly Instruction[] | null;
}

/**
 * The loop that does the work: of the loops that count for something and have no other such loop inside, the one that counts
 * most; null where none does.
 *
 * @param weight what one instruction counts for.
 */
export function heaviestInnerLoop(
  code: MachineCode,
  weight: (instruction: Instruction) => number,
): LoopBody | null {
  const { instructions } = code;
  const loops = loopsOf(code);
  const isInside = (inner: Loop, outer: Loop): boolean =>
    inner !== outer && outer.first <= inner.first && inner.last <= outer.last;
  const weightOf = ({ first, last }: Loop): number =>
    instructions.slice(first, last + 1).reduce((sum, each) => sum + weight(each), 0);
  const weighty = loops.filter((loop) => weightOf(loop) > 0);
  const inner = weighty.filter((loop) => !weighty.some((other) => isInside(other, loop)));
  if (inner.length === 0) return null;
  const { first, last } = inner.reduce((a, b) => (weightOf(b) > weightOf(a) ? b : a));
  const [outer] = loops
    .filter((loop) => loop.first <= first && loop.last >= last && loop.last - loop.first > last - first)
    .sort((a, b) => a.last - a.first - (b.last - b.first));
  return {
    body: instructions.slice(first, last + 1),
    around: outer
      ? [...instructions.slice(outer.first, first), ...instructions.slice(last + 1, outer.last + 1)]
      : null,
  };
}
