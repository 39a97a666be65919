import { describe, expect, it } from "vitest";
import { FAMILIES } from "../../../bench/compile/families.ts";
import { bytesMoved, loopCost } from "../../../bench/compile/instructions.ts";
import { parseMachineCode } from "../../../bench/compile/machine-code.ts";

const cost = (family: string, lanes: number, ...lines: string[]): ReturnType<typeof loopCost> =>
  loopCost(
    parseMachineCode(lines.map((line) => `\t${line}`).join("\n")).instructions,
    FAMILIES[family],
    lanes,
  );

describe("what instructions cost", () => {
  it("a multiply-add of 64 lanes takes RDNA3 one clock, RDNA2 two, GCN four", () => {
    const clocks = (family: string): number => cost(family, 64, "v_fmac_f32_e32 v1, v2, v3").valuClocks;
    expect(["navi31", "gfx1201", "navi21", "vega10"].map(clocks)).toEqual([1, 1, 2, 4]);
  });

  it("what has no second unit takes 64 lanes two clocks, and products of integers four times as long", () => {
    expect(cost("navi31", 64, "v_add_nc_u32_e32 v1, v2, v3").valuClocks).toBe(2);
    expect(cost("navi31", 64, "v_mul_lo_u32 v1, v2, v3").valuClocks).toBe(8);
    expect(cost("navi31", 32, "v_fmac_f32_e32 v1, v2, v3").valuClocks).toBe(1);
  });

  it("a dual-issued pair is one instruction of one clock with the multiply-adds of both halves", () => {
    const pair = cost("navi31", 32, "v_dual_fmac_f32 v3, v1, v2 :: v_dual_fmac_f32 v4, v1, v5");
    expect(pair).toMatchObject({ instructions: 1, fmaInstructions: 1, fmas: 64, valuClocks: 1 });
    const half = cost("navi31", 32, "v_dual_mov_b32 v3, v1 :: v_dual_fmac_f32 v4, v1, v5");
    expect(half).toMatchObject({ fmaInstructions: 1, fmas: 32, valuClocks: 1 });
  });

  it("a matrix instruction is 4,096 multiply-adds in 32 clocks on RDNA3, in 16 on RDNA4", () => {
    const line = "v_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]";
    expect(cost("navi31", 32, line)).toMatchObject({ matrix: true, fmas: 4096, valuClocks: 32 });
    expect(cost("gfx1201", 32, line).valuClocks).toBe(16);
    const loop = cost("navi31", 32, line, "v_fma_f32 v1, v2, v3, v4");
    expect(loop).toMatchObject({ instructions: 2, fmaInstructions: 1, fmas: 4096, valuClocks: 33 });
  });

  it("counts a multiply-add in every spelling, but no widening of f16", () => {
    const fmas = (line: string): number => cost("navi31", 64, line).fmas / 64;
    for (const opcode of [
      "v_fma_f32",
      "v_mac_f32_e32",
      "v_mad_f32",
      "v_fmac_f16",
      "v_fmaak_f32",
      "v_fma_mix_f32",
    ])
      expect([opcode, fmas(`${opcode} v1, v2, v3, v1`)]).toEqual([opcode, 1]);
    expect(fmas("v_pk_fma_f16 v1, v2, v3, v1")).toBe(2);
    expect(fmas("v_dot2_f32_f16 v1, v2, v3, v1")).toBe(2);
    expect(fmas("v_fma_mix_f32 v77, 1.0, v44, -v48 op_sel_hi:[0,1,0]")).toBe(0);
    expect(fmas("v_mad_u32_u24 v1, v2, v3, v1")).toBe(0);
  });

  it("leaves waits and hints out, and keeps scalar instructions off the vector units", () => {
    const loop = cost(
      "navi31",
      64,
      "s_waitcnt vmcnt(0)",
      "s_delay_alu instid0(VALU_DEP_1)",
      "s_add_u32 s1, s2, 4",
    );
    expect(loop).toMatchObject({ instructions: 1, valuClocks: 0 });
  });

  it("adds up bytes of all lanes, of memory and of workgroup memory", () => {
    const loop = cost(
      "navi31",
      64,
      "buffer_load_b128 v[48:51], v44, s[28:31], 0 offen",
      "buffer_store_b32 v1, v44, s[28:31], 0 offen",
      "s_buffer_load_b64 s[26:27], s[12:15], 0x40",
      "ds_load_b128 v[4:7], v1",
      "ds_store_2addr_b64 v1, v[2:3], v[4:5] offset1:1",
    );
    expect(loop).toMatchObject({
      globalLoads: 2,
      globalBytes: 64 * 20,
      ldsInstructions: 2,
      ldsBytes: 64 * 32,
    });
    // 128 bytes a clock for two SIMDs.
    expect(loop.ldsClocks).toBe(32);
  });

  it.each([
    ["ds_load_b32", 4],
    ["ds_load_b96", 12],
    ["ds_read_b128", 16],
    ["ds_read2_b32", 8],
    ["ds_write2st64_b32", 8],
    ["ds_load_2addr_stride64_b64", 16],
    ["ds_load_u16_d16", 4],
    ["buffer_load_dword", 4],
    ["buffer_load_dwordx4", 16],
    ["global_store_b64", 8],
    ["buffer_load_d16_hi_b16", 4],
  ])("%s moves %i bytes a lane, no less than a word", (opcode, bytes) => {
    expect(bytesMoved(opcode)).toBe(bytes);
  });
});
