/** @file What single instructions of AMD's GPUs do and cost, as far as the bounds of a loop depend on it. */
import type { Family } from "./families.ts";
import type { Instruction } from "./machine-code.ts";

/** Multiply-adds of a 16×16×16 product. */
const MATRIX_FMAS = 16 ** 3;

/** What the instructions of a loop do and take for one subgroup. */
export interface LoopCost {
  /** All but hints to the scheduler and waits. */
  readonly instructions: number;
  /** Whether it has matrix instructions. */
  readonly matrix: boolean;
  /** Those that multiply and add: matrix instructions alone where there are any. */
  readonly fmaInstructions: number;
  /** Multiply-adds that the whole subgroup makes by them. */
  readonly fmas: number;
  /** Clocks for which the SIMD's vector units are taken. */
  readonly valuClocks: number;
  /** Vector loads and stores of buffers, and the bytes that all lanes move by them. */
  readonly globalLoads: number;
  readonly globalBytes: number;
  /** Loads and stores of workgroup memory, and the bytes that all lanes move by them. */
  readonly ldsInstructions: number;
  readonly ldsBytes: number;
  /** Clocks for which workgroup memory is taken. */
  readonly ldsClocks: number;
}

/** No unit is taken for long by these. */
const HINT = /^s_(?:delay_alu|nop|clause|wait|set_inst_prefetch|sethalt|inst_prefetch)/;
const MATRIX = /^v_wmma_/;
const FMA =
  /^v_(?:dual_)?(?:pk_)?(?:fma|fmac|fmaak|fmamk|mac|mad|madak|madmk)(?:_mix(?:lo|hi)?)?(?:_legacy)?_f(?:16|32)$/;
const DOT2 = /^v_(?:dual_)?dot2(?:c|acc)?_f32_f16$/;
const QUARTER = /^v_(?:mul_(?:lo|hi)_[iu]32|mad_u?i?64_[iu]32)/;
const DUAL =
  /^v_(?:(?:fma|fmac|fmaak|fmamk|mul|add|sub|subrev|max|min)_f(?:16|32)|(?:mov|cndmask)_b(?:16|32)|fma_mix(?:_f32|lo_f16|hi_f16)|dot2c?_f32_f16)$/;

/** Multiply-adds that one lane makes; a matrix instruction's are its subgroup's together. */
function laneFmas({ opcode, operands, paired }: Instruction): number {
  const more = paired ? laneFmas(paired) : 0;
  // f16 is widened in passing by a multiplication with one.
  if (opcode.includes("_mix") && /\b1\.0\b/.test(operands)) return more;
  if (FMA.test(opcode)) return more + (opcode.includes("_pk_") ? 2 : 1);
  return more + (DOT2.test(opcode) ? 2 : 0);
}

/** What an instruction adds to the multiply-adds of a subgroup. */
export const subgroupFmas = (instruction: Instruction, subgroupSize: number): number =>
  MATRIX.test(instruction.opcode) ? MATRIX_FMAS : subgroupSize * laneFmas(instruction);

/** Clocks of a SIMD's vector units that an instruction of one subgroup takes at least. */
function valuClocks({ opcode }: Instruction, family: Family, subgroupSize: number): number {
  if (!opcode.startsWith("v_")) return 0;
  if (MATRIX.test(opcode)) return family.matrixClocks ?? 0;
  const { lanes, clocks } = family.issue;
  const passes = Math.ceil(subgroupSize / lanes);
  if (QUARTER.test(opcode)) return 4 * clocks * passes;
  return family.dualIssue && passes === 2 && DUAL.test(opcode) ? clocks : clocks * passes;
}

/** Bytes that each lane moves by a load or store; 0 for others. */
export function bytesMoved(opcode: string): number {
  const words = /_(?:dword|format_)?x(\d)$/.exec(opcode)?.[1];
  const one =
    words !== undefined
      ? 4 * Number(words)
      : /_b(\d+)$/.test(opcode)
        ? Math.max(4, Number(/_b(\d+)$/.exec(opcode)![1]) / 8)
        : 4;
  return /(?:load|store)_2addr|(?:read|write)2/.test(opcode) ? 2 * one : one;
}

/** What a loop costs one subgroup. */
export function loopCost(body: readonly Instruction[], family: Family, subgroupSize: number): LoopCost {
  const real = body.filter(({ opcode }) => !HINT.test(opcode));
  const sum = (of: (instruction: Instruction) => number): number =>
    real.reduce((total, each) => total + of(each), 0);
  const isLds = ({ opcode }: Instruction): boolean =>
    /^ds_(?:load|store|read|write|bpermute|permute|swizzle)/.test(opcode);
  const isGlobal = ({ opcode }: Instruction): boolean =>
    /^(?:buffer|tbuffer|global|flat|scratch)_(?:load|store|atomic)/.test(opcode);
  const bytes = ({ opcode }: Instruction): number => subgroupSize * bytesMoved(opcode);
  const ldsBytes = sum((each) => (isLds(each) ? bytes(each) : 0));
  const matrix = real.some(({ opcode }) => MATRIX.test(opcode));
  const fmas = (each: Instruction): number =>
    matrix && !MATRIX.test(each.opcode) ? 0 : subgroupFmas(each, subgroupSize);
  return {
    instructions: real.length,
    matrix,
    fmaInstructions: real.filter((each) => fmas(each) > 0).length,
    fmas: sum(fmas),
    valuClocks: sum((each) => valuClocks(each, family, subgroupSize)),
    globalLoads: real.filter(isGlobal).length,
    globalBytes: sum((each) => (isGlobal(each) ? bytes(each) : 0)),
    ldsInstructions: real.filter(isLds).length,
    ldsBytes,
    ldsClocks: ldsBytes / family.ldsBytesPerClock,
  };
}
