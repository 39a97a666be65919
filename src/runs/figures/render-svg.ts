import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { FONT_WEIGHTS, readFont } from "../../files/font.ts";
// The package gives its types to `require` only.
import type * as ResvgWasm from "@resvg/resvg-wasm" with { "resolution-mode": "require" };
import type { Raster } from "./mosaic.ts";

const require = createRequire(import.meta.url);
const { initWasm, Resvg } = require("@resvg/resvg-wasm") as typeof ResvgWasm;

type RenderedImage = ReturnType<InstanceType<typeof Resvg>["render"]>;

let ready: Promise<Uint8Array[]> | null = null;

/** WebAssembly may be initialised only once. */
function load(): Promise<Uint8Array[]> {
  ready ??= (async () => {
    const [wasm, ...fonts] = await Promise.all([
      readFile(require.resolve("@resvg/resvg-wasm/index_bg.wasm")),
      ...FONT_WEIGHTS.map(readFont),
    ]);
    await initWasm(wasm);
    return fonts;
  })();
  return ready;
}

/**
 * PNG of an SVG document. Its text is drawn in Inter (weights 400 and 600), which comes with the modules: a bare machine
 * has no fonts, and a renderer that asks the system for them draws boxes there. Equal on every machine.
 *
 * @param scale pixels a unit of the SVG
 */
export const renderSvg = (svg: string, scale = 2): Promise<Buffer> =>
  rendered(svg, scale, (image) => Buffer.from(image.asPng()));

/** A part of a picture, in pixels. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The pixels of a part of an SVG document that covers itself with white: what {@link renderSvg} shows there, without a PNG between. */
export const renderSvgPixels = (svg: string, scale: number, crop: Crop): Promise<Raster> =>
  rendered(svg, scale, ({ width, height, pixels }) => ({ width, height, rgb: opaque(pixels) }), { crop });

async function rendered<T>(
  svg: string,
  scale: number,
  use: (image: RenderedImage) => T,
  options: ResvgWasm.ResvgRenderOptions = {},
): Promise<T> {
  const fontBuffers = await load();
  const document = new Resvg(svg, {
    font: { fontBuffers, defaultFontFamily: "Inter", sansSerifFamily: "Inter" },
    fitTo: { mode: "zoom", value: scale },
    ...options,
  });
  try {
    const image = document.render();
    try {
      return use(image);
    } finally {
      image.free();
    }
  } finally {
    document.free();
  }
}

const OPAQUE_WHITE = 0xffffffff;

/** The colours of pixels `[…, RGBA]` that are multiplied by their alpha, which is less than 255 along the edges of a picture at most. */
function opaque(rgba: Uint8Array): Uint8Array {
  const words = new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4);
  const rgb = new Uint8Array(3 * words.length).fill(255);
  for (let pixel = 0; pixel < words.length; pixel++) {
    if (words[pixel] === OPAQUE_WHITE) continue;
    const alpha = rgba[4 * pixel + 3];
    for (let c = 0; c < 3; c++) {
      const value = rgba[4 * pixel + c];
      rgb[3 * pixel + c] = alpha === 255 ? value : Math.min(255, Math.round((255 * value) / alpha));
    }
  }
  return rgb;
}
