import { range } from "../conv2d/register-tile.ts";
import type { KernelTarget } from "../kernel.ts";

/** Taps whose weights a GPU keeps in registers beside the sums; a CPU's are on the stack, where any number is at hand. */
const HELD = 9;

/** WGSL that gets at the weights of lane `quad` of the channels, `w` `[taps, C]`: declared before a walk, and of a tap. */
export function weightsText(
  { family }: KernelTarget,
  taps: number,
): { readonly declare: string; of(tap: number): string } {
  const load = (tap: number): string => `load_w(${tap}u * params.quads + quad)`;
  if (family === "workgroup" && taps > HELD) return { declare: "", of: load };
  return {
    declare: range(taps)
      .map((tap) => `let weight${tap} = ${load(tap)};`)
      .join("\n  "),
    of: (tap) => `weight${tap}`,
  };
}
