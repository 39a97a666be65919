/** @file Sums of what is normalized, activated, scaled or spread to be added: what need not be stored before. */
import type { Planes } from "./conv2d/load.ts";
import { planesParams, planesText, rangeParams } from "./activated-norm.ts";
import { defineKernel, f32, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget, Uniform } from "./kernel.ts";
import { activationText } from "./text/activation.ts";
import type { ActivationKind } from "./text/activation.ts";
import type { ChannelRange } from "./text/channel-range.ts";
import { channelWalk, walkText } from "./text/channels.ts";
import { laneFor } from "./text/lane.ts";

/** A term of {@link activatedSum}, number `i`. */
export type SumTerm =
  /** activation(norm(x)) of the buffers `x<i>` and `norm<i>`, or without `planes` activation(x). */
  | {
      readonly kind: "activated";
      readonly x: ChannelRange;
      readonly planes: Planes | null;
      readonly activation: ActivationKind;
    }
  /** x·factor: `x<i>`, and `factor<i>` `[N, channels]`, a number of each channel of each image. */
  | { readonly kind: "scaled"; readonly x: ChannelRange }
  /** `scale` times `factor<i>` `[N, channels]` at each pixel. */
  | { readonly kind: "spread"; readonly scale: number };

/** What a term reads, and its text with `row`, `column` and, where it has a factor, `image` in scope. */
interface TermText {
  readonly read: readonly string[];
  readonly params: Readonly<Record<string, Uniform>>;
  readonly start: string;
  readonly value: string;
  readonly label: string;
}

function textOf(term: SumTerm, i: number, lane: 4 | 1): TermText {
  const x = `load_x${i}(row * params.x${i}Stride + params.x${i}Begin + column)`;
  const factor = `load_factor${i}(image * params.columns + column)`;
  switch (term.kind) {
    case "activated": {
      const { planes, activation } = term;
      const before = planes ? `fma(${x} - mean${i}, scale${i}, beta${i})` : x;
      return {
        read: [`x${i}`, ...(planes ? [`norm${i}`] : [])],
        params: { ...rangeParams(`x${i}`, term.x, lane), ...(planes && planesParams(planes, lane, i)) },
        start: planes ? planesText(["mean", "scale", "beta"], i) : "",
        value: `let before${i} = ${before};
    let term${i} = ${activationText(activation, `before${i}`, "T")};`,
        label: planes ? `norm_${activation}` : activation,
      };
    }
    case "scaled":
      return {
        read: [`x${i}`, `factor${i}`],
        params: rangeParams(`x${i}`, term.x, lane),
        start: "",
        value: `let term${i} = ${x} * ${factor};`,
        label: "scaled",
      };
    case "spread":
      return {
        read: [`factor${i}`],
        params: { [`spread${i}`]: f32(term.scale) },
        start: "",
        value: `let term${i} = ${factor} * params.spread${i};`,
        label: "spread",
      };
  }
}

/**
 * The channels `z` of a tensor become `activation` of the sum of `terms`, for `pixels` of each image and `rows` in all. Where
 * they do not come in fours, all of these are tensors of their own.
 */
export function activatedSum(
  target: KernelTarget,
  rows: number,
  channels: number,
  {
    terms,
    activation,
    z,
    pixels,
  }: {
    readonly terms: readonly SumTerm[];
    readonly activation: ActivationKind;
    readonly z: ChannelRange;
    readonly pixels: number;
  },
): Kernel {
  const walk = channelWalk(target, rows, channels, "map");
  const { width } = laneFor(channels);
  const array = `array<${walk.type}>`;
  const texts = terms.map((term, i) => textOf(term, i, width));
  const ofImages = terms.some(({ kind }) => kind !== "activated");
  const read = texts.flatMap((text) => text.read.map((name) => [name, array] as const));
  const params: Record<string, Uniform> = Object.assign({}, ...texts.map((text) => text.params)) as Record<
    string,
    Uniform
  >;
  return defineKernel({
    label: `sum_of_${texts.map(({ label }) => label).join("_and_")}${activation === "linear" ? "" : `_to_${activation}`}`,
    read: Object.fromEntries(read),
    write: { z: array },
    params: {
      ...walk.params,
      ...params,
      ...rangeParams("z", z, width),
      ...(ofImages && { pixels: u32(pixels) }),
    },
    workgroups: walk.workgroups,
    body: walkText(walk, {
      start: texts.map(({ start }) => start).join("\n  "),
      row: `${ofImages ? "let image = row / params.pixels;" : ""}
    ${texts.map(({ value }) => value).join("\n    ")}
    let sum = ${terms.map((_, i) => `term${i}`).join(" + ")};
    store_z(row * params.zStride + params.zBegin + column, ${activationText(activation, "sum", "T")});`,
    }),
  });
}
