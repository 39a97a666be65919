import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { FONT_WEIGHTS, readFont } from "../../files/font.ts";
// The package gives its types to `require` only.
import type * as ResvgWasm from "@resvg/resvg-wasm" with { "resolution-mode": "require" };

const require = createRequire(import.meta.url);
const { initWasm, Resvg } = require("@resvg/resvg-wasm") as typeof ResvgWasm;

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
export async function renderSvg(svg: string, scale = 2): Promise<Buffer> {
  const fontBuffers = await load();
  const document = new Resvg(svg, {
    font: { fontBuffers, defaultFontFamily: "Inter", sansSerifFamily: "Inter" },
    fitTo: { mode: "zoom", value: scale },
  });
  try {
    const image = document.render();
    try {
      return Buffer.from(image.asPng());
    } finally {
      image.free();
    }
  } finally {
    document.free();
  }
}
