/**
 * @file What stands in for `src/runs/figures/render-svg.ts` where figures are not the point: they come out white. To draw those of
 * a run takes seconds, and more in a process that draws its first.
 */
import { sharp } from "../../src/data/sharp.ts";
import type * as renderer from "../../src/runs/figures/render-svg.ts";

export const renderSvg: typeof renderer.renderSvg = (svg, scale = 2) =>
  sharp({ create: { ...sizeOf(svg, scale), channels: 3, background: "white" } })
    .png()
    .toBuffer();

export const renderSvgPixels: typeof renderer.renderSvgPixels = (_, __, { left, top, right, bottom }) => {
  const part = { width: right - left, height: bottom - top };
  return Promise.resolve({ ...part, rgb: new Uint8Array(3 * part.width * part.height).fill(255) });
};

function sizeOf(svg: string, scale: number): { width: number; height: number } {
  const [, width, height] = /^<svg [^>]*width="([\d.]+)" height="([\d.]+)"/.exec(svg)!.map(Number);
  return { width: Math.ceil(width * scale), height: Math.ceil(height * scale) };
}
