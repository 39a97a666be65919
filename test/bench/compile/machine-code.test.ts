import { describe, expect, it } from "vitest";
import { heaviestInnerLoop, loopsOf, parseMachineCode } from "../../../bench/compile/machine-code.ts";

/** A loop in a loop, and one of its own that only fills memory. */
const DISASSEMBLY = `BB0:
	s_mov_b64 s[0:1], exec                                      ; be80017e
	s_nop 0                                                     ; bf800000
	(then repeated 2 times)
BB1:
	ds_store_b128 v1, v[4:7]                                    ; db7c0000 00000401
	s_branch BB1                                                ; bfa0fff1
BB2:
	v_fma_f32 v9, v1, v2, v3                                    ; d6130009
	s_cbranch_scc1 BB5                                          ; bfa20399
BB3:
	v_fmac_f32_e32 v8, v1, v2                                   ; 56100501
	v_dual_fmac_f32 v3, v1, v2 :: v_dual_mov_b32 v4, 0          ; c8100501 03040080
	s_cbranch_execnz BB3                                        ; bfa5fffe
BB4:
	s_branch BB2                                                ; bfa0fff8
BB5:
	s_endpgm                                                    ; bfb00000
`;

/** The print of Mesa's own compiler, for cards that the driver's LLVM does not know. */
const OWN_PRINT = `Shader disassembly is not supported in the current configuration, falling back to print_program.
BB0
/* logical preds: / linear preds: / kind: uniform, top-level, loop-preheader, */
	 s2: %4:s[0-1] = s_mov_b64 %3:exec
BB1
/* logical preds: BB0, BB1, / linear preds: BB0, BB1, / kind: loop-header, branch, */
	 v4: %9:v[4-7] = ds_read_b128 %8:v[1] storage:shared
	 v1: %11:v[8] = v_fmac_f32 %9:v[4], %10:v[5], %11:v[8]
	 s2: %20:s[4-5],  s1: %21:scc = s_and_b64 %18:s[2-3], %19:s[6-7]
	s_cbranch_scc1 block:BB1
BB2
/* logical preds: BB1, / linear preds: BB1, / kind: uniform, top-level, */
	s_endpgm
`;

const fmas = (opcode: string): number => (/fma/.test(opcode) ? 1 : 0);

describe("machine code", () => {
  it("is read from LLVM's disassembly: repeated and paired instructions, labels, branches", () => {
    const code = parseMachineCode(DISASSEMBLY);
    expect(code.instructions.slice(0, 4).map(({ opcode }) => opcode)).toEqual([
      ...["s_mov_b64", "s_nop", "s_nop", "s_nop"],
    ]);
    expect(code.instructions).toHaveLength(13);
    expect(code.instructions[9]).toEqual({
      opcode: "v_dual_fmac_f32",
      operands: "v3, v1, v2",
      paired: { opcode: "v_dual_mov_b32", operands: "v4, 0" },
    });
    expect(loopsOf(code)).toEqual([
      { first: 4, last: 5 },
      { first: 8, last: 10 },
      { first: 6, last: 11 },
    ]);
  });

  it("finds the loop that does the work: the inner one, whatever the outer one adds", () => {
    const loop = heaviestInnerLoop(parseMachineCode(DISASSEMBLY), ({ opcode }) => fmas(opcode))!;
    const names = (of: readonly { opcode: string }[]): string[] => of.map(({ opcode }) => opcode);
    expect(names(loop.body)).toEqual(["v_fmac_f32", "v_dual_fmac_f32", "s_cbranch_execnz"]);
    expect(names(loop.around!)).toEqual(["v_fma_f32", "s_cbranch_scc1", "s_branch"]);
  });

  it("takes a loop around one that counts for nothing", () => {
    const loop = heaviestInnerLoop(parseMachineCode(DISASSEMBLY), ({ opcode }) =>
      opcode === "v_fma_f32" ? 1 : 0,
    );
    expect(loop?.body).toHaveLength(6);
    expect(loop?.around).toBeNull();
    expect(heaviestInnerLoop(parseMachineCode(DISASSEMBLY), () => 0)).toBeNull();
  });

  it("is read from what Mesa's compiler prints", () => {
    const code = parseMachineCode(OWN_PRINT);
    expect(code.instructions.map(({ opcode }) => opcode)).toEqual([
      ...["s_mov_b64", "ds_read_b128", "v_fmac_f32", "s_and_b64", "s_cbranch_scc1", "s_endpgm"],
    ]);
    expect(loopsOf(code)).toEqual([{ first: 1, last: 4 }]);
  });
});
