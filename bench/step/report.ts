import { parseSize, sizeText } from "../../src/image-size.ts";
import type { KernelShare } from "./breakdown.ts";
import type { StepResult } from "./step-result.ts";
import type { TfjsComparison, TfjsProblem } from "./tfjs-step.ts";
import { milliseconds } from "./times.ts";

/** Single dispatches that are shown besides the sums by kernel. */
const DEAREST = 5;

/** Relative difference of the first losses below which both did the same. */
const SAME = 1e-3;

/** A result as a person reads it. */
export function reportLines(result: StepResult): string[] {
  const { phase, size, batch, steps, plan, breakdown, tfjs, firstStepMs: first } = result;
  const row = (name: string, text: string): string => `  ${name.padEnd(14)} ${text}`;
  const lines = [
    `${phase}: ${result.encoder}, ${batch} photos of ${sizeText(parseSize(size)!)}, ${result.decoder} decoder, ${result.optimizer}, ${result.variant}`,
    row(
      "first step",
      `${seconds(first.total)}${result.coldShaderCache ? ", no shader cache" : ""}: plan ${seconds(first.plan)}, ` +
        `pipelines and bind groups ${seconds(first.compile)}, first run ${seconds(first.run)}`,
    ),
    row(
      "one at a time",
      `${milliseconds(result.medianMs)} (${milliseconds(result.minMs)} to ${milliseconds(result.maxMs)}, ${steps} steps)`,
    ),
    row("two in flight", `${milliseconds(result.pipelinedMs)}: ${rates(result)}`),
    row(
      "host",
      `encode ${milliseconds(result.encodeMs)} a step (at least ${milliseconds(result.encodeMinMs)}), ` +
        `upload ${milliseconds(result.uploadMs)}`,
    ),
    row(
      "plan",
      `${plan.dispatches} dispatches, ${plan.pipelines} pipelines, arena ${megabytes(plan.arenaBytes)}, ` +
        `peak ${megabytes(plan.peakBytes)} (all buffers: ${megabytes(result.peakBytes)})`,
    ),
    row("losses", result.losses.map((loss) => loss.toFixed(6)).join(", ")),
  ];
  if (tfjs) lines.push(row("tfjs-webgpu", tfjsText(tfjs, result.losses[0])));
  if (breakdown) {
    const dearest = [...breakdown.dispatches].sort((a, b) => b.ms - a.ms).slice(0, DEAREST);
    lines.push(
      `  by kernel, from timestamps (${milliseconds(breakdown.kernels.reduce((sum, { ms }) => sum + ms, 0))} in all):`,
      ...kernelLines(breakdown.kernels),
      "  the dearest dispatches:",
      ...dearest.map(
        ({ label, op, shape, ms }) =>
          `    ${milliseconds(ms).padStart(10)}  ${label} of ${op} [${shape.join(", ")}]`,
      ),
    );
  }
  return lines;
}

function tfjsText(tfjs: TfjsComparison | TfjsProblem, ourLoss: number): string {
  if ("problem" in tfjs) return `no comparison: ${tfjs.problem}`;
  const { oursMs, theirsMs, ratio, cpuRatio, rounds, firstStepMs, firstLoss } = tfjs;
  const same = Math.abs(firstLoss - ourLoss) <= SAME * Math.abs(ourLoss);
  return (
    `${milliseconds(theirsMs)}, ours in turns with it ${milliseconds(oursMs)}: ours is ${ratio.toFixed(2)} times as fast, ` +
    `by CPU time ${cpuRatio.toFixed(2)} (medians of ${rounds.length}; its first step ${seconds(firstStepMs)}, ` +
    `loss ${firstLoss.toFixed(6)}${same ? "" : ", which is NOT ours: it did other work"})`
  );
}

function kernelLines(kernels: readonly KernelShare[]): string[] {
  const width = Math.max(...kernels.map(({ label }) => label.length));
  return kernels.map(
    ({ label, dispatches, ms, share }) =>
      `    ${label.padEnd(width)} ${String(dispatches).padStart(4)} × ${milliseconds(ms).padStart(10)} ` +
      `${(100 * share).toFixed(1).padStart(5)} %`,
  );
}

function rates({ photosPerSecond, gflop, gflopPerSecond, fmaGflopPerSecond }: StepResult): string {
  const share = (100 * gflopPerSecond) / fmaGflopPerSecond;
  return (
    `${photosPerSecond.toPrecision(3)} photos/s, ${gflopPerSecond.toPrecision(3)} GFLOP/s (${gflop.toPrecision(4)} GFLOP a ` +
    `step by the network's definition), ${share.toFixed(0)} % of the fma ceiling of ${fmaGflopPerSecond.toPrecision(3)}`
  );
}

const seconds = (ms: number): string => (ms < 1000 ? milliseconds(ms) : `${(ms / 1000).toPrecision(3)} s`);
const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString("en")} MiB`;
