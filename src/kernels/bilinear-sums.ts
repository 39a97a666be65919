/**
 * @file Windows of 4×4 that upsample what a convolution of three taps has made of small images: bilinear, by 2, with half-pixel centres.
 *
 * Along one axis: pixels x₀ … xₙ₋₁, each end repeated once, with zeros between them, are convolved with taps k₀ k₁ k₂ wherever these meet
 * a pixel. That are 2n + 5 *terms*: t₀ = k₂x₀, t₁ = k₁x₀, t₂ = k₀x₀ + k₂x₀, t₃ = k₁x₀, t₄ = k₀x₀ + k₂x₁, and so on to k₀xₙ₋₁ alone. Value m of the upsampled
 * image's convolution is (tₘ₊₁ + 3tₘ₊₂ + 3tₘ₊₃ + tₘ₊₄)/4 where the image goes on beyond its ends as it is there. It is to be zero there:
 * then the first has k₀x₀ = t₂ − t₀ too much, and the last k₂xₙ₋₁, which the last terms tell likewise. The taps do not matter to any
 * of this, so in two dimensions it is done along one axis, and then along the other.
 */
import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { channelGrid, channelMain } from "./text/channel-grid.ts";
import { laneFor } from "./text/lane.ts";

/** The terms `[N, terms height, terms width, C]` of small images `[N, H, W, C]`. */
export interface BilinearTerms {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Even, and at least {@link termsOf} the images' height; what is more is zeros. */
  readonly termsHeight: number;
  readonly termsWidth: number;
}

/** How many terms so many pixels have. */
export const termsOf = (pixels: number): number => 2 * pixels + 5;

/** WGSL: two neighbouring sums of four each, from value number `first` on. */
const pairFrom = (first: number, value: (number: number) => string): string => {
  const [a, b, c, d, e] = [0, 1, 2, 3, 4].map((i) => value(first + i));
  return `Pair(0.25 * (${a} + ${d}) + 0.75 * (${b} + ${c}), 0.25 * (${b} + ${e}) + 0.75 * (${c} + ${d}))`;
};

/** WGSL: `text` of several numbers. */
const each = (numbers: readonly number[], text: (number: number) => string): string =>
  numbers.map(text).join("\n  ");

/** `terms` to `y` `[N, 2H, 2W, C]`, 2×2 values an invocation. */
export function bilinearSumsForward(target: KernelTarget, shape: BilinearTerms): Kernel {
  const { batch, height, width, channels } = shape;
  const { float, width: lane } = laneFor(channels);
  const rows = batch * height * width;
  const inner = [1, 2, 3, 4, 5];
  return defineKernel({
    label: "bilinear_sums_forward",
    read: { terms: `array<${float}>` },
    write: { y: `array<${float}>` },
    params: params(shape, rows, channels / lane),
    workgroups: channelGrid(target, rows, channels / lane),
    body: /* wgsl */ `
struct Pair { first: ${float}, second: ${float} }
fn along_line(at: u32, isLeft: bool, isRight: bool) -> Pair {
  ${each(inner, (i) => `let t${i} = load_terms(at + ${i}u * params.channels);`)}
  var pair = ${pairFrom(1, (i) => `t${i}`)};
  if (isLeft) { pair.first += load_terms(at) - t2; }
  if (isRight) { pair.second += load_terms(at + 6u * params.channels) - t4; }
  return pair;
}
${channelMain(/* wgsl */ `
    let line = row / params.imageWidth;
    let column = row - line * params.imageWidth;
    let image = line / params.imageHeight;
    let lineOfImage = line - image * params.imageHeight;
    let isLeft = column == 0u;
    let isRight = column + 1u == params.imageWidth;
    let pitch = params.termsWidth * params.channels;
    let at = (image * params.termsHeight + lineOfImage * 2u) * pitch + column * 2u * params.channels + channel;
  ${each(inner, (i) => `  let line${i} = along_line(at + ${i}u * pitch, isLeft, isRight);`)}
    var left = ${pairFrom(1, (i) => `line${i}.first`)};
    var right = ${pairFrom(1, (i) => `line${i}.second`)};
    if (lineOfImage == 0u) {
      let line0 = along_line(at, isLeft, isRight);
      left.first += line0.first - line2.first;
      right.first += line0.second - line2.second;
    }
    if (lineOfImage + 1u == params.imageHeight) {
      let line6 = along_line(at + 6u * pitch, isLeft, isRight);
      left.second += line6.first - line4.first;
      right.second += line6.second - line4.second;
    }
    let below = params.imageWidth * 2u * params.channels;
    let to = line * 2u * below + column * 2u * params.channels + channel;
    store_y(to, left.first);
    store_y(to + params.channels, right.first);
    store_y(to + below, left.second);
    store_y(to + below + params.channels, right.second);`)}`,
  });
}

/** Gradient of {@link bilinearSumsForward}: `dy` `[N, 2H, 2W, C]` to `dterms`, 2×2 of them an invocation; zeros where no term is. */
export function bilinearSumsBackward(target: KernelTarget, shape: BilinearTerms): Kernel {
  const { batch, termsHeight, termsWidth, channels } = shape;
  const { float, width: lane } = laneFor(channels);
  const rows = batch * (termsHeight / 2) * (termsWidth / 2);
  const inner = [0, 1, 2, 3, 4];
  // Two terms have a part in the values from four before the first to the first itself. What would be before value 0 is a large number.
  return defineKernel({
    label: "bilinear_sums_backward",
    read: { dy: `array<${float}>` },
    write: { dterms: `array<${float}>` },
    params: params(shape, rows, channels / lane),
    workgroups: channelGrid(target, rows, channels / lane),
    body: /* wgsl */ `
struct Pair { first: ${float}, second: ${float} }
fn value(line: u32, column: u32, channel: u32) -> ${float} {
  if (column >= 2u * params.imageWidth) { return ${float}(); }
  return load_dy((line * 2u * params.imageWidth + column) * params.channels + channel);
}
fn along_line(image: u32, lineOfImage: u32, column: u32, channel: u32) -> Pair {
  if (lineOfImage >= 2u * params.imageHeight) { return Pair(); }
  let line = image * 2u * params.imageHeight + lineOfImage;
  ${each(inner, (i) => `let v${i} = value(line, 2u * column + ${i}u - 4u, channel);`)}
  var pair = ${pairFrom(0, (i) => `v${i}`)};
  if (column == 0u) { pair.first += v4; }
  if (column == 1u) { pair.first -= v2; }
  if (column == params.imageWidth + 1u) { pair.first -= v1; }
  if (column == params.imageWidth + 2u) { pair.first += value(line, 2u * params.imageWidth - 1u, channel); }
  return pair;
}
${channelMain(/* wgsl */ `
    let columns = params.termsWidth / 2u;
    let lines = params.termsHeight / 2u;
    let line = row / columns;
    let column = row - line * columns;
    let image = line / lines;
    let half = line - image * lines;
  ${each(inner, (i) => `  let line${i} = along_line(image, 2u * half + ${i}u - 4u, column, channel);`)}
    var left = ${pairFrom(0, (i) => `line${i}.first`)};
    var right = ${pairFrom(0, (i) => `line${i}.second`)};
    if (half == 0u) { left.first += line4.first; right.first += line4.second; }
    if (half == 1u) { left.first -= line2.first; right.first -= line2.second; }
    if (half == params.imageHeight + 1u) { left.first -= line1.first; right.first -= line1.second; }
    if (half == params.imageHeight + 2u) {
      let last = along_line(image, 2u * params.imageHeight - 1u, column, channel);
      left.first += last.first;
      right.first += last.second;
    }
    let below = params.termsWidth * params.channels;
    let to = line * 2u * below + column * 2u * params.channels + channel;
    store_dterms(to, left.first);
    store_dterms(to + params.channels, right.first);
    store_dterms(to + below, left.second);
    store_dterms(to + below + params.channels, right.second);`)}`,
  });
}

const params = (
  { height, width, termsHeight, termsWidth }: BilinearTerms,
  rows: number,
  channels: number,
) => ({
  ...{ rows: u32(rows), channels: u32(channels), imageHeight: u32(height), imageWidth: u32(width) },
  ...{ termsHeight: u32(termsHeight), termsWidth: u32(termsWidth) },
});
