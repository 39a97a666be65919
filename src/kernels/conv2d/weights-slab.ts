import type { TapProduct } from "./tap-product.ts";
import { putTurned } from "./slab.ts";
import type { SlabArithmetic } from "./slab.ts";
import { range, repeat } from "./workgroup-tile.ts";

/**
 * WGSL that loads a slab of weights, the right operand of a {@link TapProduct}: `step`, `weight` and `firstColumn` say from where. They lie along
 * the depth or along the channels in memory, four of them are loaded at once, and where the slab lies the other way, four
 * times four are turned. Past the depth any number will do, as the left operand is zero there.
 *
 * @param vector whether four weights may be loaded as a vec4.
 */
export function weightsSlab(
  { tile, turned, putRight }: SlabArithmetic,
  { transposed: alongDepth }: TapProduct,
  vector: boolean,
): string {
  const quads = tile.steps / 4;
  const columnQuads = tile.columns / 4;

  /** Four weights, along the depth or along the channels, from depth `d` and channel `c` on. */
  const four = (d: string, c: string): string => {
    const [line, first, most] = alongDepth
      ? [`weight + min(${c}, params.channels - 1u) * params.depth`, d, "params.depth"]
      : [`weight + min(${d}, params.depth - 1u) * params.weightsChannels`, c, "params.channels"];
    return vector
      ? `load_w((${line} + min(${first}, ${most} - 4u)) / 4u)`
      : `vec4f(${range(4)
          .map((j) => `load_w(${line} + min(${first} + ${j}u, ${most} - 1u))`)
          .join(", ")})`;
  };
  /** `text` for each of `count` pieces of the slab, shared out among the invocations. */
  const shared = (count: number, text: (at: string) => string): string =>
    repeat(Math.ceil(count / tile.threads), (i) => {
      const at = i === 0 ? "local" : `(local + ${i * tile.threads}u)`;
      const all = (i + 1) * tile.threads <= count;
      return `${all ? "" : `if (${at} < ${count}u) `}{ ${text(at)} }`;
    });

  if (alongDepth && turned)
    return shared(tile.columns * quads, (at) =>
      putRight(at, four(`step + 4u * (${at} % ${quads}u)`, `firstColumn + ${at} / ${quads}u`)),
    );
  if (!alongDepth && !turned)
    return shared(tile.steps * columnQuads, (at) =>
      putRight(at, four(`step + ${at} / ${columnQuads}u`, `firstColumn + 4u * (${at} % ${columnQuads}u)`)),
    );
  return shared(quads * columnQuads, (at) => {
    const [quad, columnQuad] = [`(${at} % ${quads}u)`, `(${at} / ${quads}u)`];
    const [d, c] = [`step + 4u * ${quad}`, `firstColumn + 4u * ${columnQuad}`];
    const values = range(4).map((j) => `four${j}`);
    return `let d = ${d}; let c = ${c};
      ${values.map((name, j) => `let ${name} = ${alongDepth ? four("d", `c + ${j}u`) : four(`d + ${j}u`, "c")};`).join(" ")}
      ${
        turned
          ? putTurned(putRight, values, { line: `4u * ${columnQuad}`, length: quads, at: quad })
          : putTurned(putRight, values, { line: `4u * ${quad}`, length: columnQuads, at: columnQuad })
      }`;
  });
}
