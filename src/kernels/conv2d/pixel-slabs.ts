/**
 * @file How a gradient by weights fills the slabs of its workgroup: x under a few taps, `[steps, rows]`, and dy,
 * `[steps, columns]`, where the steps are pixels. An invocation loads one quad of rows or columns of some pixels, in runs of
 * neighbours: of a run that lies in one line of its image, places and tests are worked out once.
 */
import type { Uniform } from "../kernel.ts";
import type { Conv2dGeometry } from "./geometry.ts";
import type { Load } from "./load.ts";
import { pixelWalk } from "./pixel-walk.ts";
import { putTurned } from "./slab.ts";
import type { SlabArithmetic } from "./slab.ts";
import { range, repeat } from "./workgroup-tile.ts";

/** WGSL of a kernel that has `firstRow`, `firstColumn`, `rows` and `channels` in scope. */
export interface PixelSlabs {
  readonly params: Readonly<Record<string, Uniform>>;
  readonly functions: string;
  /** Declares what stays the same over the sum, which begins with pixel `begin`. */
  declare(begin: string): string;
  /** Fills both slabs with the pixels from `step` on, of which those from `end` on count for nothing. */
  readonly fill: string;
}

/** Pixels one after the other that an invocation loads at most. */
const LONGEST_RUN = 4;

/** Which pixels of a slab an invocation loads. */
interface Share {
  /** Its quad of rows or columns. */
  readonly quad: string;
  /** The first of its pixels; each run of `run` begins so much further. */
  readonly first: string;
  readonly run: number;
  readonly offsets: readonly number[];
}

/** How a slab is shared out of whose rows or columns there are `across` quads. */
function shareOf({ tile, turned }: SlabArithmetic, across: number): Share {
  const beside = tile.threads / across;
  const run = turned ? LONGEST_RUN : Math.min(LONGEST_RUN, tile.steps / beside);
  const [quad, place] = turned
    ? // Neighbours load neighbouring runs: what they store then lies in other banks.
      [`(local / ${beside}u)`, `local % ${beside}u`]
    : [`(local % ${across}u)`, `local / ${across}u`];
  return {
    quad,
    first: `${run}u * (${place})`,
    run,
    offsets: range(Math.ceil(tile.steps / (run * beside))).map((i) => i * run * beside),
  };
}

export function pixelSlabs(
  arithmetic: SlabArithmetic,
  g: Conv2dGeometry,
  { left, right }: { readonly left: Load; readonly right: Load },
): PixelSlabs {
  const { tile, turned, putLeft, putRight } = arithmetic;
  const [vectorRows, vectorColumns] = [left.width === 4, right.width === 4];
  const [leftShare, rightShare] = [shareOf(arithmetic, tile.rows / 4), shareOf(arithmetic, tile.columns / 4)];

  /** Stores `value0` and following, a run's, in a slab that has `across` quads a pixel. */
  const putRun = (put: typeof putLeft, { quad, run }: Share, across: number): string => {
    const values = range(run).map((k) => `value${k}`);
    const quads = tile.steps / 4;
    return turned
      ? putTurned(put, values, { line: `4u * ${quad}`, length: quads, at: "pixel / 4u" })
      : repeat(run, (k) => put(`(pixel + ${k}u) * ${across}u + ${quad}`, values[k]));
  };
  const fill = (share: Share, across: number, put: typeof putLeft, load: (i: number) => string): string =>
    repeat(share.offsets.length, (i) => {
      const all = share.run * tile.threads <= across * tile.steps;
      return `{
      let pixel = ${share.first} + ${share.offsets[i]}u;
      ${all ? "" : `if (pixel < ${tile.steps}u) `}{
        let number = step + pixel;
        ${load(i)}
        ${putRun(put, share, across)}
      }
    }`;
    });

  // With channels in fours, a quad is one vec4 of one tap.
  const taps = range(vectorRows ? 1 : 4);
  const lane = (tap: number): string => `tap${tap}.channel${vectorRows ? " / 4u" : ""}`;
  const { run, offsets } = leftShare;
  const pixels = g.batch * g.outHeight * g.outWidth;
  /** Whether every run lies in one line of its image, and ends where the pixels do if not before. */
  const inLine = g.outWidth % run === 0 && pixels % rightShare.run === 0;
  /** Pixels from the begin of run number `i` to that of the next. */
  const toNext = (i: number): number => (offsets[i + 1] ?? tile.steps) - offsets[i];
  const last = inLine ? 0 : run - 1;
  const walk = pixelWalk(g, [...offsets.map((_, i) => toNext(i) - last), ...(last > 0 ? [1] : [])]);
  const leftValue = (k: number): string => {
    const of = (tap: number): string =>
      `select(${vectorRows ? "vec4f()" : "0.0"}, ${left.value(lane(tap), `${tap}_${k}`, `Left${tap}`)}, inside${tap}_${k})`;
    return vectorRows ? of(0) : `vec4f(${taps.map(of).join(", ")})`;
  };
  /** Whether the pixel under a tap is of the image, `right` pixels further than the walk. */
  const inRow = (tap: number): string => `(u32(y + tap${tap}.y) < u32(params.inHeight))`;
  const inColumn = (tap: number, right: string): string =>
    `(u32(x + tap${tap}.x${right}) < u32(params.inWidth))`;
  const place = (tap: number, k: number): string =>
    left.pixel(`u32(select(0, place + tap${tap}.shift, inside${tap}_${k}))`, `${tap}_${k}`);
  // A run is loaded from where it lies, of the image or not: WGSL keeps every index within x, and `inside` keeps what counts.
  const loadLeft = (i: number): string =>
    inLine
      ? `let counts = number < end;
        ${repeat(
          taps.length,
          (tap) => `let inRow${tap} = counts & ${inRow(tap)};
        ${left.pixel(`u32(place + tap${tap}.shift)`, `${tap}_0`)}
        ${repeat(run, (k) => {
          const right = `${k} * params.strideX`;
          const inside = `let inside${tap}_${k} = inRow${tap} & ${inColumn(tap, k === 0 ? "" : ` + ${right}`)};`;
          return k === 0
            ? inside
            : `${inside} ${left.pixelAfter(`${tap}_0`, `u32(${right})`, `${tap}_${k}`)}`;
        })}`,
        )}
        ${repeat(run, (k) => `let value${k} = ${leftValue(k)};`)}
        ${walk.advance(toNext(i))}`
      : repeat(
          run,
          (k) => `${repeat(
            taps.length,
            (tap) =>
              `let inside${tap}_${k} = (number + ${k}u < end) & ${inRow(tap)} & ${inColumn(tap, "")}; ${place(tap, k)}`,
          )}
        let value${k} = ${leftValue(k)};
        ${walk.advance(k < last ? 1 : toNext(i) - last)}`,
        );

  const rightPixel = (k: number): string => {
    if (!inLine) return right.pixel(`min(number + ${k}u, params.pixels - 1u)`, `${k}`);
    return k === 0
      ? right.pixel(`min(number, params.pixels - ${rightShare.run}u)`, "0")
      : right.pixelAfter("0", `${k}u`, `${k}`);
  };
  const rightValue = (k: number): string =>
    vectorColumns
      ? right.value("columnQuad", `${k}`, "Right")
      : `vec4f(${range(4)
          .map((j) => right.value(`min(column + ${j}u, params.outChannels - 1u)`, `${k}`))
          .join(", ")})`;
  const loadRight = (): string =>
    repeat(rightShare.run, (k) => `${rightPixel(k)} let value${k} = ${rightValue(k)};`);

  return {
    params: walk.params,
    functions: /* wgsl */ `
/** How far a tap is from the kernel's first without a padding, and its channel. */
struct Tap { y: i32, x: i32, shift: i32, channel: u32 }

fn tapOf(row: u32, channels: u32) -> Tap {
  let tap = row / channels;
  let y = i32(tap / params.kernelWidth) - params.padTop;
  let x = i32(tap % params.kernelWidth) - params.padLeft;
  return Tap(y, x, y * params.inWidth + x, row - tap * channels);
}
`,
    declare: (begin) => `${repeat(
      taps.length,
      (tap) =>
        `let tap${tap} = tapOf(min(firstRow + 4u * ${leftShare.quad} + ${tap}u, rows - ${vectorRows ? 4 : 1}u), channels); ${left.channel(lane(tap), `Left${tap}`)}`,
    )}
  let column = firstColumn + 4u * ${rightShare.quad};
  ${vectorColumns ? `let columnQuad = min(column, params.outChannels - 4u) / 4u; ${right.channel("columnQuad", "Right")}` : ""}
  ${walk.begin(`${begin} + ${leftShare.first}`)}`,
    fill: `${fill(leftShare, tile.rows / 4, putLeft, loadLeft)}
    ${fill(rightShare, tile.columns / 4, putRight, loadRight)}`,
  };
}
