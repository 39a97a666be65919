import type { ImageSize } from "../image-size.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { autotune } from "../graph/autotune/autotune.ts";
import { contributedTarget } from "../graph/autotune/contribution.ts";
import type { ContributedProduct, ContributedTarget } from "../graph/autotune/contribution.ts";
import { productGroups } from "../graph/autotune/products.ts";
import { gainOf, medianOf } from "../graph/autotune/search.ts";
import type { Finding } from "../graph/autotune/search.ts";
import { kernelTarget } from "../graph/kernel-target.ts";
import { tileClass } from "../kernels/conv2d/tile-class.ts";
import { describeTile, sameTile, tileGroup } from "../kernels/conv2d/tiles.ts";
import type { Encoder } from "../layers/networks/encoder.ts";
import type { Precision } from "../config/index.ts";
import { textTable } from "../text-table.ts";
import { autotuneFile, TUNING_FOLDER } from "./autotune.ts";
import { evaluator, trainingStep } from "./phase/programs.ts";

export interface TuneOptions {
  readonly encoder: Encoder;
  readonly imageSize: ImageSize;
  readonly batchSize: number;
  readonly precision: Precision;
  /** After so long no other product is begun. */
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly say: (sentence: string) => void;
  /** Where measurements are kept; where training looks for them by default. */
  readonly folder?: string;
}

/** What the products of a step take in each tile. */
export interface TunedStep {
  /** Groups of products that there is more than one tile for. */
  readonly groups: number;
  /** Those that were timed, now or before, the default tile of each first. */
  readonly products: readonly ContributedProduct[];
  readonly findings: ReadonlyMap<string, Finding>;
  readonly target: ContributedTarget;
  /** The file that keeps it. */
  readonly path: string;
}

const CLASSES = 59;

/**
 * Times the tiles of a fine-tuning step's matrix products and of its evaluation, and keeps what it finds where training
 * looks for it; what is known from before is not timed again.
 *
 * @throws GpuError when the device fails or has no memory for it; the signal's reason.
 */
export async function tuneStep(
  gpu: Gpu,
  { encoder, imageSize, batchSize, precision, seconds, signal, say, folder = TUNING_FOLDER }: TuneOptions,
): Promise<TunedStep> {
  const spec = {
    ...{ batchSize, imageSize, classes: CLASSES, encoder, precision },
    ...{ optimizer: "rmsprop" as const, clipNorm: null, weighted: false },
  };
  const goals = [evaluator(spec), trainingStep(spec, "finetune")];
  const cache = autotuneFile(gpu, folder, say);
  const { findings } = await autotune(gpu, { goals, cache, seconds, signal, onWarning: say });
  const target = kernelTarget(gpu);
  const groups = productGroups(goals, target);
  const products = groups.flatMap(({ name, request, uses }) => {
    const tiles = (findings.get(name)?.measurements ?? [])
      .filter(({ milliseconds }) => milliseconds.length > 0)
      .map(({ tile, milliseconds }) => ({ tile, cost: Number(medianOf(milliseconds).toPrecision(4)) }));
    return tiles.length === 0 ? [] : [{ class: tileClass(request), request, uses, tiles }];
  });
  return {
    ...{ groups: groups.length, products, findings },
    ...{ target: contributedTarget(target), path: cache.path },
  };
}

/** A line a product, those first that take most of the step by default: both tiles, and what they take. */
export function describeTuned({ groups, products, findings }: TunedStep): string {
  const rows = [...products]
    .sort((a, b) => b.uses * b.tiles[0].cost - a.uses * a.tiles[0].cost)
    .map(({ request, uses, tiles: [usual, ...others] }) => {
      const product = tileGroup(request);
      const finding = findings.get(product)!;
      const won = others.find(({ tile }) => sameTile(tile, finding.winner));
      return [
        product,
        String(uses),
        describeTile(usual.tile),
        `${usual.cost.toPrecision(3)} ms`,
        ...(won
          ? [describeTile(won.tile), `${won.cost.toPrecision(3)} ms`, `${gainOf(finding).toFixed(2)}×`]
          : ["", "", ""]),
      ];
    });
  const head = ["product", "uses", "default tile", "takes", "quicker tile", "takes", "gain"];
  const left = groups - products.length;
  return [
    textTable([head, ...rows], [1, 3, 5, 6]),
    "",
    `${products.length} of ${groups} kinds of products timed${left > 0 ? " (give more --seconds for the others)" : ""}: ` +
      `${rows.filter((row) => row[4] !== "").length} are quicker in other tiles than by default.`,
  ].join("\n");
}
