import type { Conv2dGeometry } from "../conv2d/geometry.ts";
import type { Load } from "../conv2d/load.ts";
import { range } from "../conv2d/register-tile.ts";
import { columnText, inFlight, rowsText } from "./walk.ts";
import type { LoadedRows } from "./walk.ts";

/** One product of a turn, by the texts that a kernel makes of it. */
export interface WindowProduct {
  /** Text of the pixel of x. */
  readonly x: string;
  /** Which column of results from the turn's on, which row of the strip, and which tap of the kernel. */
  readonly slot: number;
  readonly row: number;
  readonly tap: number;
}

/** WGSL of the windows of a strip of results, for a walk along the output. */
export interface WindowText {
  /** Declares `outY`, the strip's first row of results, and where its rows of x are. */
  readonly declare: string;
  /** Loads what the turn `column` adds to the windows: the last `strideX` columns of that of its results. */
  readonly load: string;
  /** The turn that first meets a column of the image. */
  readonly begin: number;
  /** WGSL of every product of what has been loaded with the columns of results that it has a part in. */
  products(text: (product: WindowProduct) => string): string;
}

/**
 * What forward and the gradient by weights have in common: how x is loaded and what it is multiplied with.
 *
 * @param firstRow text of how many rows of the kernel are above those of `g`, where these are a part of it; 0 by default.
 */
export function windowText(g: Conv2dGeometry, strip: number, load: Load, firstRow?: string): WindowText {
  const { kernelHeight, kernelWidth, strideY, strideX } = g;
  const rows: LoadedRows = {
    name: "x",
    extent: "in",
    first: `outY * ${strideY} - params.padTop${firstRow === undefined ? "" : ` + ${firstRow}`}`,
    count: (strip - 1) * strideY + kernelHeight,
  };
  const steps = range(strideX);
  const met = steps.flatMap((step) =>
    range(inFlight(kernelWidth, strideX)).flatMap((slot) => {
      const kx = kernelWidth - strideX + step - slot * strideX;
      return kx >= 0 ? [{ step, slot, kx }] : [];
    }),
  );
  return {
    declare: `let outY = strip * ${strip};
  ${rowsText(rows)}`,
    load: steps
      .filter((step) => met.some((each) => each.step === step))
      .map((step) =>
        columnText({
          rows,
          column: `column * ${strideX} - params.padLeft + ${kernelWidth - strideX + step}`,
          load,
          name: `x${step}_`,
        }),
      )
      .join("\n    "),
    begin: Math.ceil((g.padLeft - kernelWidth + 1) / strideX),
    products: (text) =>
      met
        .flatMap(({ step, slot, kx }) =>
          range(kernelHeight).flatMap((ky) =>
            range(strip).map((row) =>
              text({ x: `x${step}_${row * strideY + ky}`, slot, row, tap: ky * kernelWidth + kx }),
            ),
          ),
        )
        .join("\n    "),
  };
}
