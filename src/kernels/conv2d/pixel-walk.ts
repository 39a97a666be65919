/**
 * @file Where the pixels of x lie that a gradient by weights meets one after the other, without a division: an invocation keeps
 * the place of one pixel and goes on to the next that is its own, a number of pixels further that all invocations share.
 */
import { i32 } from "../kernel.ts";
import type { Uniform } from "../kernel.ts";
import type { Conv2dGeometry } from "./geometry.ts";

/** WGSL of a walk over the pixels of dy, and of those of x that lie under the kernel's first tap without a padding. */
export interface PixelWalk {
  readonly params: Readonly<Record<string, Uniform>>;
  /** Declares the walk, at pixel `number` of dy: `x` and `y` in the image, and `place`, the pixel's number in x. */
  begin(number: string): string;
  /** Goes on by one of the `strides` of pixels. */
  advance(pixels: number): string;
}

/** A walk by numbers of pixels `strides`. */
export function pixelWalk(g: Conv2dGeometry, strides: readonly number[]): PixelWalk {
  const params = strides.flatMap((pixels): [string, Uniform][] => {
    const lines = Math.floor(pixels / g.outWidth);
    const images = Math.floor(lines / g.outHeight);
    const [x, y] = [(pixels % g.outWidth) * g.strideX, (lines % g.outHeight) * g.strideY];
    return [
      [`by${pixels}X`, i32(x)],
      [`by${pixels}Y`, i32(y)],
      [`by${pixels}`, i32((images * g.inHeight + y) * g.inWidth + x)],
    ];
  });
  return {
    params: Object.fromEntries(params),
    begin: (number) => /* wgsl */ `let firstPixel = ${number};
  let firstLine = firstPixel / params.outWidth;
  let firstImage = firstLine / params.outHeight;
  var y = i32(firstLine - firstImage * params.outHeight) * params.strideY;
  var x = i32(firstPixel - firstLine * params.outWidth) * params.strideX;
  var place = (i32(firstImage) * params.inHeight + y) * params.inWidth + x;
  let endX = i32(params.outWidth) * params.strideX;
  let endY = i32(params.outHeight) * params.strideY;
  let toLine = params.strideY * params.inWidth - endX;
  let toImage = (params.inHeight - endY) * params.inWidth;`,
    // Neither x nor y goes further than its extent at once, so that one carry is enough.
    advance: (pixels) => /* wgsl */ `{
      x += params.by${pixels}X;
      let lineEnds = x >= endX;
      x -= select(0, endX, lineEnds);
      y += params.by${pixels}Y + select(0, params.strideY, lineEnds);
      let imageEnds = y >= endY;
      y -= select(0, endY, imageEnds);
      place += params.by${pixels} + select(0, toLine, lineEnds) + select(0, toImage, imageEnds);
    }`,
  };
}
