/** @file The cards that the lab compiles for, as far as its bounds depend on them. */

import type { VendorFamily } from "../../src/kernels/conv2d/shipped-tiles.ts";

/** Rates of one SIMD of a card, in clocks; a subgroup's instruction is issued once for each pass over the SIMD's lanes. */
export interface Family {
  /** A card of this family. */
  readonly card: string;
  /** The family of adapters that are shipped the same tiles. */
  readonly vendorFamily: VendorFamily;
  /** SIMDs of that card, and the clock that its maker's peak is reckoned with, in GHz. */
  readonly simds: number;
  readonly gigahertz: number;
  /** Lanes that one issue of a vector instruction covers, and the clocks that it takes. */
  readonly issue: { readonly lanes: number; readonly clocks: number };
  /**
   * Whether simple f32 and f16 instructions run twice a clock: two of them paired (`v_dual_…`) in subgroups of 32, both
   * halves at once in subgroups of 64.
   */
  readonly dualIssue: boolean;
  /** Multiply-adds of f32 that a SIMD makes a clock at its peak. */
  readonly fmaPerClock: number;
  /** Clocks of one 16×16×16 product of f16 in a subgroup of 32; null without matrix instructions. */
  readonly matrixClocks: number | null;
  /** Bytes a clock that workgroup memory gives to a SIMD, which is its share of what the compute unit's SIMDs get together. */
  readonly ldsBytesPerClock: number;
  /** Subgroups of 64 lanes that a SIMD has slots for, in the driver's own count. */
  readonly slots: number;
}

type Rates = Omit<Family, "card" | "simds" | "gigahertz">;

/** RDNA2: 32 lanes a SIMD, two SIMDs a compute unit with 128 bytes a clock of workgroup memory. */
const RDNA2: Rates = {
  vendorFamily: "amd-rdna",
  issue: { lanes: 32, clocks: 1 },
  dualIssue: false,
  fmaPerClock: 32,
  matrixClocks: null,
  ldsBytesPerClock: 64,
  slots: 32,
};
/** RDNA3: every SIMD has a second set of f32 units, and matrix instructions that run on them. */
const RDNA3: Rates = { ...RDNA2, dualIssue: true, fmaPerClock: 64, matrixClocks: 32 };

/**
 * By the names that Mesa's RADV knows them by. Rates are those of AMD's instruction set manuals and of the cost model in
 * Mesa's compiler (`aco_statistics.cpp`).
 */
export const FAMILIES: Readonly<Record<string, Family>> = {
  navi31: { card: "Radeon RX 7900 XTX (RDNA3)", simds: 192, gigahertz: 2.5, ...RDNA3 },
  navi21: { card: "Radeon RX 6900 XT (RDNA2)", simds: 160, gigahertz: 2.25, ...RDNA2 },
  gfx1201: { card: "Radeon RX 9070 XT (RDNA4)", simds: 128, gigahertz: 2.97, ...RDNA3, matrixClocks: 16 },
  vega10: {
    card: "Radeon RX Vega 64 (GCN5)",
    simds: 256,
    gigahertz: 1.546,
    vendorFamily: "amd-gcn",
    // Four SIMDs of 16 lanes a compute unit: a subgroup of 64 takes one issue of four clocks.
    issue: { lanes: 64, clocks: 4 },
    dualIssue: false,
    fmaPerClock: 16,
    matrixClocks: null,
    ldsBytesPerClock: 32,
    slots: 10,
  },
};

/** Multiply-adds that a SIMD makes a clock at its peak, by matrix instructions or without. */
export const fmasPerClock = ({ fmaPerClock, matrixClocks }: Family, matrix: boolean): number =>
  matrix ? 16 ** 3 / (matrixClocks ?? Infinity) : fmaPerClock;

/** The card's peak in TFLOP/s, a multiply-add being two operations. */
export const peakTeraflops = (family: Family, matrix: boolean): number =>
  (2 * fmasPerClock(family, matrix) * family.simds * family.gigahertz) / 1e3;
