/**
 * @file What stands in for `src/runs/figures/render-svg.ts` where figures are not the point: they come out white. To draw those of
 * a run takes seconds, and more in a process that draws its first.
 */
import { sharp } from "../../src/data/sharp.ts";
import type * as renderer from "../../src/runs/figures/render-svg.ts";

export const renderSvg: typeof renderer.renderSvg = (svg, scale = 2) => {
  const [, width, height] = /^<svg [^>]*width="([\d.]+)" height="([\d.]+)"/.exec(svg)!.map(Number);
  const size = { width: Math.ceil(width * scale), height: Math.ceil(height * scale) };
  return sharp({ create: { ...size, channels: 3, background: "white" } })
    .png()
    .toBuffer();
};
