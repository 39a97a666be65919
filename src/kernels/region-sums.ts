import { defineKernel, u32 } from "./kernel.ts";
import type { Kernel, KernelTarget } from "./kernel.ts";
import { crossEntropyText } from "./text/cross-entropy.ts";
import type { CrossEntropyKind } from "./text/cross-entropy.ts";
import { holdRow, rowEnable, rowGrid, rowLanes, rowMain } from "./text/row-lanes.ts";
import { softmaxRow } from "./text/softmax-row.ts";

/** Pixels that the lanes of a row add up one after the other. */
const PIXELS = 64;
/** The most classes of a lane whose sums are variables. */
const KEPT = 16;

/** What is summed up of each class over pixels: overlap (probability times truth), predicted (probability), truth. */
export const REGION_SUMS = 3;

/** Partials that {@link softmaxRegionSums} leaves of an image of so many pixels. */
export const regionPartials = (pixels: number): number => Math.ceil(pixels / PIXELS);

/** What {@link softmaxRegionSums} writes besides the sums. */
export interface RegionSumsParts extends CrossEntropyKind {
  /** `losses` `[images, pixels]`: the cross-entropy. */
  readonly losses?: boolean;
  /** `correct` `[images, pixels]`: 1 where the largest logit, of equal ones the first, is that of the label, else 0. */
  readonly correct?: boolean;
  /** Pixels with exactly this label are in no sum, have loss 0 and count as not correct, whatever their logits. */
  readonly ignoreLabel?: number | undefined;
}

/**
 * What a loss on regions wants to know of each class, partial sums over the pixels of each image: of the softmax of `logits`
 * `[images, pixels, classes]` and one-hot `labels` `[images, pixels]` (u32), to `sums` `[images, 3, classes,
 * regionPartials(pixels)]` ({@link REGION_SUMS}). A label beyond the classes counts as the last class and is never correct.
 *
 * The lanes of a row (see `rowLanes`) go through some neighbouring pixels of one image, each lane with the sums of its own
 * classes, so the order of the additions depends on the size of an image alone.
 */
export function softmaxRegionSums(
  target: KernelTarget,
  images: number,
  pixels: number,
  classes: number,
  { losses = false, correct = false, ignoreLabel, ...kind }: RegionSumsParts,
): Kernel {
  const layout = rowLanes(target, classes);
  const weighted = (kind.weighted ?? false) && losses;
  const ignores = ignoreLabel !== undefined;
  const entropy = crossEntropyText(classes, { ...kind, weighted });
  const row = softmaxRow(layout, "logits", {
    ofLabel: losses,
    found: correct,
    logitSum: losses && (kind.labelSmoothing ?? 0) > 0,
  });
  const when = (condition: boolean, text: string): string => (condition ? text : "");
  const counted = (value: string): string => (ignores ? `select(0.0, ${value}, counted)` : value);
  const sums = layout.held > 0 && layout.held <= KEPT ? inVariables(row.each) : inMemory(row.each);

  const pixelText = /* wgsl */ `
      let pixel = min(firstPixel + k, endPixel - 1u);
      let within = inside && firstPixel + k < endPixel;
      let begin = pixel * params.extent;
      let label = min(load_labels(pixel), params.extent - 1u);
      ${when(ignores, "let counted = load_labels(pixel) != params.ignored;")}
      ${holdRow(layout, "logits")}
      ${row.largest}
      ${row.total}
      ${when(losses, `if (within && lane == 0u) { store_losses(pixel, ${counted(entropy.loss)}); }`)}
      ${when(correct, row.found)}
      ${when(correct, `if (within && lane == 0u) { store_correct(pixel, ${counted("select(0.0, 1.0, found == load_labels(pixel))")}); }`)}
      if (within${when(ignores, " && counted")}) {
        let share = 1.0 / total;
        ${sums.add((value) => `${row.exponential(value)} * share`)}
      }`;

  return defineKernel({
    label: "softmax_region_sums",
    enable: rowEnable(layout),
    read: { logits: "array<f32>", labels: "array<u32>", ...(weighted && { classWeights: "array<f32>" }) },
    write: {
      ...(losses && { losses: "array<f32>" }),
      ...(correct && { correct: "array<f32>" }),
      sums: "array<f32>",
    },
    params: {
      // Of `rowMain`: what the lanes of a row go through in turns.
      rows: u32(images * regionPartials(pixels)),
      extent: u32(classes),
      pixels: u32(pixels),
      partials: u32(regionPartials(pixels)),
      ...(ignores && { ignored: u32(ignoreLabel) }),
      ...(losses && entropy.lossParams),
    },
    workgroups: rowGrid(target, layout, images * regionPartials(pixels)),
    body: rowMain(
      layout,
      /* wgsl */ `
    let image = row / params.partials;
    let partial = row - image * params.partials;
    let firstPixel = image * params.pixels + partial * ${PIXELS}u;
    let endPixel = min(firstPixel + ${PIXELS}u, (image + 1u) * params.pixels);
    let place = image * ${REGION_SUMS}u * params.extent * params.partials + partial;
    ${sums.begin}
    for (var k = 0u; k < min(${PIXELS}u, params.pixels); k++) {${pixelText}
    }
    ${sums.end}`,
    ),
  });
}

type Each = (text: (value: string, i: string) => string) => string;

/** WGSL that sums up over the pixels of a partial; `place` is where the first sum of the first class belongs. */
interface SumsText {
  readonly begin: string;
  /** @param probability of a value of the row. */
  readonly add: (probability: (value: string) => string) => string;
  readonly end: string;
}

const NAMES = ["overlap", "predicted", "truth"] as const;

/** Where a sum of class `i` belongs. */
const placeOf = (sum: number, i: string): string =>
  `place + (${sum}u * params.extent + ${i}) * params.partials`;

/** The lane's sums are variables. */
function inVariables(each: Each): SumsText {
  /** {@link each} with the number of the value. */
  const numbered = (text: (k: number, value: string, i: string) => string): string => {
    let k = 0;
    return each((value, i) => text(k++, value, i));
  };
  let begin = "";
  numbered((k) => (begin += NAMES.map((name) => `var ${name}${k} = 0.0;\n`).join("")));
  return {
    begin,
    add: (probability) =>
      numbered(
        (k, value, i) => `{
          let probability = ${probability(value)};
          overlap${k} += select(0.0, probability, ${i} == label);
          predicted${k} += probability;
          truth${k} += select(0.0, 1.0, ${i} == label); }`,
      ),
    end: `if (inside) {
      ${numbered((k, _, i) => NAMES.map((name, sum) => `store_sums(${placeOf(sum, i)}, ${name}${k});`).join("\n"))}
    }`,
  };
}

/** Where a lane has too many classes, it adds to the memory that nobody else touches. */
function inMemory(each: Each): SumsText {
  const addTo = (sum: number, i: string, value: string): string =>
    `store_sums(${placeOf(sum, i)}, load_sums(${placeOf(sum, i)}) + ${value});`;
  return {
    begin: `if (inside) {
      ${each((_, i) => NAMES.map((_, sum) => `store_sums(${placeOf(sum, i)}, 0.0);`).join("\n"))}
    }`,
    add: (probability) =>
      each(
        (value, i) => `{
          let probability = ${probability(value)};
          ${addTo(1, i, "probability")}
          if (${i} == label) { ${addTo(0, i, "probability")} ${addTo(2, i, "1.0")} } }`,
      ),
    end: "",
  };
}
