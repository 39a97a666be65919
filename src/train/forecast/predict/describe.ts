import { plan } from "../../../graph/plan.ts";
import { phaseName } from "../../../runs/phase.ts";
import type { Phase } from "../../../runs/phase.ts";
import { describeTile } from "../../../kernels/conv2d/tiles.ts";
import { formatBytes, formatCount, textTable } from "../../../text-table.ts";
import { phasesOf } from "../../trainer-options.ts";
import type { TrainerOptions } from "../../trainer-options.ts";
import { stepPrograms } from "../step-plan.ts";
import { BOUNDS } from "./bounds.ts";
import { CARDS } from "./cards.ts";
import type { CardName } from "./cards.ts";
import { ASSUMED_SHARE, LAUNCH_SECONDS, predictDispatches, totalSeconds } from "./predict.ts";
import type { DispatchPrediction } from "./predict.ts";
import { bytesTouched } from "./traffic.ts";

/**
 * Says what a step of each phase would take a card that is not here, dispatch by dispatch and in all, and what that takes for
 * granted.
 *
 * @throws Error when the step exceeds the card's limits.
 */
export function describePrediction(options: TrainerOptions, card: CardName): string[] {
  return [
    ...phasesOf(options).flatMap((phase) => describePhase(options, phase, card)),
    ...assumptions(card).map((line) => `  ${line}`),
  ];
}

function describePhase(options: TrainerOptions, phase: Phase, card: CardName): string[] {
  const name = phaseName(phase, options.freeze ?? "encoder");
  const programs = stepPrograms(options, phase).map(({ goals, runs }) => ({
    runs,
    predictions: predictDispatches(plan(goals, CARDS[card].target).dispatches, card),
  }));
  const seconds = programs.reduce((sum, { runs, predictions }) => sum + runs * totalSeconds(predictions), 0);
  const photos = options.batchSize / seconds;
  return [
    ...programs.flatMap(({ runs, predictions }) => [
      `Predicted for ${CARDS[card].title} (${name})${runs > 1 ? `, of ${runs} runs each` : ""}:`,
      predictionTable(predictions),
    ]),
    `A step (${name}) takes ${CARDS[card].title} ${BOUNDS.cards[card] ? "at best" : "about"} ${milliseconds(seconds)}, ${photos.toPrecision(3)} photos/s:`,
    `  ${limitsText(programs.flatMap(({ runs, predictions }) => Array(runs).fill(predictions).flat() as DispatchPrediction[]))}`,
  ];
}

/** One line a dispatch. */
function predictionTable(predictions: readonly DispatchPrediction[]): string {
  const rows = predictions.map(({ dispatch, seconds, limit }, i) => [
    ...[String(i), dispatch.node.op.name, dispatch.kernel.label],
    dispatch.kernel.tiling ? describeTile(dispatch.kernel.tiling.tile) : "",
    formatBytes(Math.round(bytesTouched(dispatch))),
    dispatch.kernel.flops === undefined ? "" : formatCount(dispatch.kernel.flops),
    limit,
    (1e6 * seconds).toFixed(1),
  ]);
  return textTable([["", "op", "kernel", "tile", "bytes", "FLOP", "bound by", "µs"], ...rows], [0, 4, 5, 7]);
}

/** What the time goes to, launches apart. */
function limitsText(predictions: readonly DispatchPrediction[]): string {
  const launches = predictions.length * LAUNCH_SECONDS;
  const by = (limit: DispatchPrediction["limit"]): string => {
    const own = predictions.filter((each) => each.limit === limit);
    return `${milliseconds(totalSeconds(own) - own.length * LAUNCH_SECONDS)} in ${own.length}`;
  };
  return (
    `${by("arithmetic")} dispatches that arithmetic bounds, ${by("memory")} that memory does, ${by("launch")} that are ` +
    `shorter than their launch, and ${milliseconds(launches)} of launches`
  );
}

function assumptions(name: CardName): string[] {
  const { teraflops, matrixTeraflops, gigabytesPerSecond } = CARDS[name];
  const matrices = matrixTeraflops === null ? "" : `, ${matrixTeraflops} in matrices of f16`;
  const shares = BOUNDS.cards[name]
    ? `the share of it that the inner loop of ${BOUNDS.driver} leaves within reach (${BOUNDS.command})`
    : `${100 * ASSUMED_SHARE.plain} % of it, and ${100 * ASSUMED_SHARE.matrix} % in matrices, as no compiler was asked`;
  return [
    `Taken for granted: a peak of ${teraflops} TFLOP/s in f32${matrices}; of products ${shares};`,
    `${gigabytesPerSecond} GB/s of memory, each number read or written once and nothing from a cache; ${1e6 * LAUNCH_SECONDS} µs a launch, one`,
    "dispatch after the other; default tiles. Never held against hardware.",
  ];
}

const milliseconds = (seconds: number): string => `${(1e3 * seconds).toPrecision(3)} ms`;
