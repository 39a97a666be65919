/**
 * @file The epilogue of an implicit GEMM: what a matrix product makes of its result before storing it: puts it into a range of the channels of a wider
 * tensor, and leaves of each tile what a batch norm needs to know of it, so that nobody reads the result again for that.
 */
import { activationGradientText } from "../text/activation.ts";
import type { ActivationKind } from "../text/activation.ts";
import { u32 } from "../kernel.ts";
import type { Uniform } from "../kernel.ts";
import type { ChannelRange } from "../text/channel-range.ts";
import { planeIndex } from "../text/norm-planes.ts";
import type { NormPlane } from "../text/norm-planes.ts";
import type { Begins, Planes } from "./load.ts";

export interface Store {
  /** The type of the result: channels in fours, or one by one. */
  readonly width: 4 | 1;
  readonly read: Readonly<Record<string, string>>;
  readonly write: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, Uniform>>;
  /** WGSL functions that its text calls. */
  readonly functions?: string;
  /** Whether it leaves numbers a tile, in as many partials as there are tiles along the rows. */
  readonly partials: boolean;
  /** WGSL that stores a tile. */
  text(tile: StoredTile): string;
}

/** A tile whose sums are complete, as one invocation sees it: some of its rows, and some vec4 of columns. */
export interface StoredTile {
  readonly rows: readonly number[];
  readonly vectors: readonly number[];
  /** Text of the condition that a row is one of the matrix. */
  inside(row: number): string;
  /**
   * WGSL that runs `text` for each row that is one of the matrix, with `place`, the number of the pixel that it is, in
   * scope; `sum` is the text of its sum in a vec4 of columns.
   */
  eachRow(text: (sum: (vector: number) => string) => string): string;
  /** Name of the variable with the sum; a vec4. */
  sum(row: number, vector: number): string;
  /** Text of the first channel of a vec4 of columns. */
  column(vector: number): string;
  /** Text of the number of rows of the whole tile that are in the matrix. */
  count(): string;
  /** Text of the tile's number among the tiles along the rows. */
  readonly partialIndex: string;
  /** Text of the condition that the invocation writes what concerns the whole tile. */
  readonly writer: string;
  /** WGSL that makes a vec4 variable the total over all rows of the tile. */
  acrossRows(variable: string): string;
}

export const vectorArray = "array<vec4f>";

/** Stores into the channels `range` of a tensor `[.., range.width]`. */
export function plainStore(name: string, channels: number, range: ChannelRange, begins: Begins = {}): Store {
  const begin = begins[name] ?? `params.${name}Begin`;
  const width = [channels, range.width, range.begin].every((extent) => extent % 4 === 0) ? 4 : 1;
  return {
    width,
    read: {},
    write: { [name]: width === 4 ? vectorArray : "array<f32>" },
    params: rangeParams(name, width, range),
    partials: false,
    text: (tile) =>
      eachSum(tile, (v, sum) => {
        const column = tile.column(v);
        const at = `let at${v} = place * params.${name}Stride + ${begin} + ${column}${width === 4 ? " / 4u" : ""};`;
        return width === 4
          ? `${at} if (${column} < params.channels) { store_${name}(at${v}, ${sum}); }`
          : `${at}
      ${[0, 1, 2, 3]
        .map(
          (j) => `if (${column} + ${j}u < params.channels) { store_${name}(at${v} + ${j}u, ${sum}[${j}]); }`,
        )
        .join(" ")}`;
      }),
  };
}

/** Stores the first channels into one tensor and the others into a second; both have multiples of 4. */
export function joinedStore(
  first: { readonly name: string; readonly channels: number },
  second: { readonly name: string; readonly channels: number },
): Store {
  return {
    width: 4,
    read: {},
    write: { [first.name]: vectorArray, [second.name]: vectorArray },
    params: { firstQuads: u32(first.channels / 4), secondQuads: u32(second.channels / 4) },
    partials: false,
    text: (tile) =>
      eachSum(
        tile,
        (v, sum) => `let quad${v} = ${tile.column(v)} / 4u;
      if (quad${v} < params.firstQuads) { store_${first.name}(place * params.firstQuads + quad${v}, ${sum}); }
      else if (${tile.column(v)} < params.channels) { store_${second.name}(place * params.secondQuads + quad${v} - params.firstQuads, ${sum}); }`,
      ),
  };
}

/**
 * {@link plainStore}, and the moments of each channel over the rows of each tile: `partials` `[partials, 2, channels]`, filled up
 * to fours, mean and biased variance, and `counts` `[partials]`, the number of rows.
 */
export function momentsStore(name: string, channels: number, range: ChannelRange, firstPartial = 0): Store {
  const plain = plainStore(name, channels, range);
  return {
    ...plain,
    write: { ...plain.write, partials: vectorArray, counts: "array<f32>" },
    params: { ...plain.params, firstPartial: u32(firstPartial) },
    partials: true,
    text: (tile) => `${plain.text(tile)}
  let partialIndex = params.firstPartial + ${tile.partialIndex};
  let rowsInside = f32(${tile.count()});
  ${tile.vectors
    .map((v) => {
      const total = (value: (row: number) => string): string =>
        tile.rows.map((row) => `select(vec4f(), ${value(row)}, ${tile.inside(row)})`).join("\n    + ");
      return `var mean${v} = ${total((row) => tile.sum(row, v))};
  ${tile.acrossRows(`mean${v}`)}
  mean${v} /= rowsInside;
  var variance${v} = ${total((row) => `(${tile.sum(row, v)} - mean${v}) * (${tile.sum(row, v)} - mean${v})`)};
  ${tile.acrossRows(`variance${v}`)}
  ${writePartials(tile, v, [`mean${v}`, `variance${v} / rowsInside`])}`;
    })
    .join("\n")}
  if (${tile.writer} && ${tile.column(0)} == 0u) { store_counts(partialIndex, rowsInside); }`,
  };
}

/** `store` of the sums with `bias` `[channels]` added, and so are the moments that it may leave. */
export function biasedStore(store: Store, channels: number): Store {
  const inFours = channels % 4 === 0;
  const own = (tile: StoredTile, v: number): string =>
    inFours
      ? `load_bias(min(${tile.column(v)}, params.channels - 4u) / 4u)`
      : `vec4f(${[0, 1, 2, 3]
          .map((j) => `load_bias(min(${tile.column(v)} + ${j}u, params.channels - 1u))`)
          .join(", ")})`;
  return {
    ...store,
    read: { ...store.read, bias: inFours ? vectorArray : "array<f32>" },
    text: (tile) => `${tile.vectors.map((v) => `let bias${v} = ${own(tile, v)};`).join("\n  ")}
  ${store.text({
    ...tile,
    eachRow: (text) => tile.eachRow((sum) => text((v) => `(${sum(v)} + bias${v})`)),
    sum: (row, v) => `(${tile.sum(row, v)} + bias${v})`,
  })}`,
  };
}

/** What {@link normGradientStore} leaves of da: itself, γ·da, or γ·da added to what is there. */
export type StoredGradient = "plain" | "scaled" | "accumulated";

export interface ActivationGradient {
  /** Of the tensor `before`. */
  readonly before: ChannelRange;
  readonly activation: ActivationKind;
}

export interface NormGradient extends ActivationGradient {
  /** `begin`: the first channel, within a plane. */
  readonly planes: Planes;
  readonly stored: StoredGradient;
  readonly firstPartial?: number;
}

/**
 * What lies before a product in the backward pass: the activation and the batch norm of the tensor `before` that the
 * product's own input was made of. Of the result r, da = r·activation'((before − mean)·scale + beta), and the store
 *
 * - writes da as `stored` says;
 * - leaves `partials` `[partials, 2, channels]`: Σ da and Σ da·x̂ over the rows of each tile.
 *
 * `norm` holds the planes of norm-planes.ts. The result's channels must be a multiple of 4.
 */
export function normGradientStore(
  name: string,
  range: ChannelRange,
  { before, activation, planes, stored, firstPartial = 0 }: NormGradient,
): Store {
  const plane = (wanted: NormPlane, column: string): string =>
    `load_norm(${planeIndex(wanted)}u * params.normSize + params.normBegin + ${column})`;
  const scales = stored !== "plain";
  const used: NormPlane[] = ["mean", "scale", "beta", "inverse", ...(scales ? ["gamma" as const] : [])];
  return {
    width: 4,
    read: { before: vectorArray, norm: vectorArray },
    write: { [name]: vectorArray, partials: vectorArray },
    params: {
      ...rangeParams(name, 4, range),
      ...rangeParams("before", 4, before),
      normSize: u32(planes.size / 4),
      normBegin: u32(planes.begin / 4),
      firstPartial: u32(firstPartial),
    },
    functions: activationGradientFunction(activation),
    partials: true,
    text: (tile) => `let partialIndex = params.firstPartial + ${tile.partialIndex};
  ${tile.vectors
    .map(
      (v) => `let quad${v} = min(${tile.column(v)}, params.channels - 4u) / 4u;
  ${used.map((name) => `let ${name}${v} = ${plane(name, `quad${v}`)};`).join("\n  ")}
  var total${v} = vec4f();
  var totalNormalized${v} = vec4f();`,
    )
    .join("\n")}
  ${eachSum(tile, (v, sum) => {
    const at = `let at${v} = place * params.${name}Stride + params.${name}Begin + quad${v};`;
    const left = {
      plain: "da",
      scaled: `gamma${v} * da`,
      accumulated: `load_${name}(at${v}) + gamma${v} * da`,
    };
    return `{
      let value = load_before(place * params.beforeStride + params.beforeBegin + quad${v});
      let da = activationGradient(fma(value - mean${v}, scale${v}, beta${v}), ${sum});
      total${v} += da;
      totalNormalized${v} += da * ((value - mean${v}) * inverse${v});
      ${at} if (${tile.column(v)} < params.channels) { store_${name}(at${v}, ${left[stored]}); }
    }`;
  })}
  ${tile.vectors
    .map(
      (v) => `${tile.acrossRows(`total${v}`)}
  ${tile.acrossRows(`totalNormalized${v}`)}
  ${writePartials(tile, v, [`total${v}`, `totalNormalized${v}`])}`,
    )
    .join("\n")}`,
  };
}

export const activationGradientFunction = (activation: ActivationKind): string => /* wgsl */ `
fn activationGradient(before: vec4f, dz: vec4f) -> vec4f {
  return ${activationGradientText(activation, "before", "dz", "vec4f")};
}
`;

/** The uniforms of a range, in lanes of `width` channels. */
export const rangeParams = (name: string, width: 4 | 1, range: ChannelRange): Record<string, Uniform> => ({
  [`${name}Stride`]: u32(range.width / width),
  [`${name}Begin`]: u32(range.begin / width),
});

/** WGSL that runs `text` for each vec4 of each row. */
export const eachSum = (tile: StoredTile, text: (vector: number, sum: string) => string): string =>
  tile.eachRow((sum) => tile.vectors.map((v) => text(v, sum(v))).join(" "));

function writePartials(tile: StoredTile, v: number, values: readonly string[]): string {
  const count = values.length;
  return `if (${tile.writer} && ${tile.column(v)} < params.channels) {
    let quads = (params.channels + 3u) / 4u;
    let to = partialIndex * ${count}u * quads + ${tile.column(v)} / 4u;
    ${values.map((value, i) => `store_partials(to${i === 0 ? "" : " + quads"}, ${value});`).join(" ")}
  }`;
}
