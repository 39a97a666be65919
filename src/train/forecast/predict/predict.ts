/**
 * @file How long a step would take a card that is not here, dispatch by dispatch:
 *
 *     time = max(FLOP / (peak × share), bytes / bandwidth) + launch
 *
 * Dispatches run one after the other. Their arithmetic and their bytes come from the plan that is made for the card. Of its
 * peak a kernel gets the share that its inner loop leaves within reach where Mesa's compiler has compiled it for this card
 * (`bounds.ts`), so the time is what it takes at best; elsewhere the share is an assumption.
 */
import type { Dispatch } from "../../../graph/dispatch.ts";
import { BOUNDS } from "./bounds.ts";
import { CARDS } from "./cards.ts";
import type { Card, CardName } from "./cards.ts";
import { bytesTouched } from "./traffic.ts";

/** Seconds between the end of a dispatch and the beginning of the next one that waits for it, on desktop GPUs. */
export const LAUNCH_SECONDS = 5e-6;

/** Shares of the peak where no compiler has been asked: what public kernels of such kinds reach on hardware. */
export const ASSUMED_SHARE = { plain: 0.5, matrix: 0.4 };

export interface DispatchPrediction {
  readonly dispatch: Dispatch;
  readonly seconds: number;
  /** What it spends them on. */
  readonly limit: "arithmetic" | "memory" | "launch";
}

/** What dispatches would take a card, in their order. */
export const predictDispatches = (dispatches: readonly Dispatch[], card: CardName): DispatchPrediction[] =>
  dispatches.map((dispatch) => {
    const arithmetic = arithmeticSeconds(dispatch, card);
    const memory = bytesTouched(dispatch) / (CARDS[card].gigabytesPerSecond * 1e9);
    const work = Math.max(arithmetic, memory);
    const limit = work < LAUNCH_SECONDS ? "launch" : arithmetic >= memory ? "arithmetic" : "memory";
    return { dispatch, seconds: work + LAUNCH_SECONDS, limit };
  });

/** Sum of the seconds. */
export const totalSeconds = (predictions: readonly DispatchPrediction[]): number =>
  predictions.reduce((sum, { seconds }) => sum + seconds, 0);

function arithmeticSeconds({ kernel: { flops = 0, label, tiling } }: Dispatch, name: CardName): number {
  if (flops === 0) return 0;
  const card: Card = CARDS[name];
  const matrix = tiling?.request.family === "matrix";
  const peak = 1e12 * (matrix ? (card.matrixTeraflops ?? card.teraflops) : card.teraflops);
  const share =
    BOUNDS.cards[name]?.[boundKey(label, tiling?.request.family)] ??
    ASSUMED_SHARE[matrix ? "matrix" : "plain"];
  return flops / (peak * share);
}

/** What a bound is of: `conv2d_forward matrix`. */
export const boundKey = (label: string, family: string | undefined): string =>
  family === undefined ? label : `${label} ${family}`;
