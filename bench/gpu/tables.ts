import type { Summary } from "../../src/runs/summary.ts";
import type { Ceilings } from "../ceilings.ts";
import type { Row } from "../report.ts";
import type { StepResult } from "../step/step-result.ts";

/** What bench/step.ts and bench/peers/pytorch_unet.py write, as far as the tables take it. */
type Step = Pick<StepResult, "device" | "phase" | "size" | "batch" | "pipelinedMs" | "photosPerSecond"> & {
  readonly variant: string;
  readonly gflopPerSecond?: number;
  readonly fmaGflopPerSecond?: number;
  readonly tfjs?: { readonly theirsMs?: number } | null;
};

interface Kernels {
  readonly ceilings: Ceilings;
  readonly rows: readonly Pick<Row, "direction" | "share" | "name">[];
}

type StepSource = readonly [title: string, finetune: string, frozen: string | null];

/** The rows of the first table, and the files that they come from. */
const STEPS: readonly StepSource[] = [
  ["bespoke, f32", "step-finetune-f32", "step-frozen-f32"],
  ["bespoke, f16", "step-finetune-f16", "step-frozen-f16"],
  ["PyTorch, eager, fp32", "pytorch-eager-fp32", null],
  ["PyTorch, eager, TF32", "pytorch-eager-tf32", null],
  ["PyTorch, AMP", "pytorch-amp-fp16", null],
  ["PyTorch, AMP, compiled", "pytorch-compile-amp-fp16", null],
];

/**
 * Tables of Markdown from the files of a sitting, by their names without `.json`. What was not measured is a dash, and named
 * below.
 */
export function tablesOf(found: ReadonlyMap<string, unknown>): string {
  const step = (name: string | null): Step | undefined =>
    name === null ? undefined : (found.get(name) as { results: Step[] } | undefined)?.results[0];
  const first = STEPS.map(([, name]) => step(name)).find((each) => each !== undefined);
  const missing = STEPS.flatMap(([, ...names]) => names)
    .concat("step-tfjs", "kernels", "article-f32", "article-f16")
    .filter((name): name is string => name !== null && !found.has(name));
  const sections = [
    first ? `${first.batch} photos of ${first.size}² a step on ${first.device}:` : "No step was measured.",
    stepTable(step),
    robustness(step),
    kernelTable(found.get("kernels") as Kernels | undefined),
    articleTable(found),
    missing.length > 0 ? `Not measured: ${missing.join(", ")}.` : "",
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

function stepTable(step: (name: string | null) => Step | undefined): string {
  const rows = STEPS.map(([title, finetune, frozen]) => {
    const [all, decoder] = [step(finetune), step(frozen)];
    return [
      title,
      milliseconds(all?.pipelinedMs),
      all ? all.photosPerSecond.toFixed(0) : DASH,
      all?.gflopPerSecond && all.fmaGflopPerSecond
        ? percent(all.gflopPerSecond / all.fmaGflopPerSecond)
        : DASH,
      milliseconds(decoder?.pipelinedMs),
    ];
  });
  // It waits for each step.
  const tfjs = step("step-tfjs");
  const theirs = tfjs?.tfjs?.theirsMs;
  const rate = tfjs && theirs ? ((1000 * tfjs.batch) / theirs).toFixed(0) : DASH;
  rows.push(["tfjs, WebGPU", milliseconds(theirs), rate, DASH, DASH]);
  return markdown(
    ["", "fine-tuning step", "photos a second", "of the f32 ceiling", "step on a frozen encoder"],
    rows,
  );
}

/** What Dawn's tests of every index cost. */
function robustness(step: (name: string | null) => Step | undefined): string {
  const [tested, untested] = [step("step-finetune-f32"), step("step-finetune-f32-without-robustness")];
  if (!tested || !untested) return "";
  const cost = tested.pipelinedMs / untested.pipelinedMs - 1;
  return `Without Dawn's tests of every index the f32 step takes ${milliseconds(untested.pipelinedMs)}: they cost ${percent(cost)}.`;
}

function kernelTable(kernels: Kernels | undefined): string {
  if (!kernels) return "";
  const { ceilings, rows } = kernels;
  const directions = [...new Set(rows.map(({ direction }) => direction))];
  const lines = directions.map((direction) => {
    const own = rows.filter((row) => row.direction === direction).sort((a, b) => a.share - b.share);
    const mean = Math.exp(own.reduce((sum, { share }) => sum + Math.log(share), 0) / own.length);
    return [direction, String(own.length), percent(mean), `${percent(own[0].share)} (${own[0].name})`];
  });
  const tera = (ceilings.gflopPerSecond / 1000).toFixed(1);
  return (
    `Kernels beside what the adapter reaches at best, ${tera} TFLOP/s of f32 and ${ceilings.gbPerSecond.toFixed(0)} GB/s:\n\n` +
    markdown(["", "kernels", "of the ceiling, geometric mean", "least"], lines)
  );
}

function articleTable(found: ReadonlyMap<string, unknown>): string {
  const rows = ["f32", "f16"].flatMap((precision) => {
    const summary = found.get(`article-${precision}`) as Summary | undefined;
    if (!summary) return [];
    const { val_accuracy, background_accuracy, seconds_per_epoch, seconds } = summary;
    const epochs = ["frozen", "finetune"].map((phase) =>
      phase in seconds_per_epoch ? `${seconds_per_epoch[phase].toFixed(2)} s` : DASH,
    );
    return [
      [
        precision,
        percent(val_accuracy, 2),
        percent(background_accuracy, 2),
        ...epochs,
        `${seconds.toFixed(0)} s`,
      ],
    ];
  });
  if (rows.length === 0) return "";
  return markdown(
    [
      "`--preset article`",
      "pixels right",
      "background everywhere",
      "epoch, encoder frozen",
      "epoch, fine-tuning",
      "in all",
    ],
    rows,
  );
}

const DASH = "–";
const milliseconds = (ms: number | undefined): string =>
  ms === undefined ? DASH : `${ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
const percent = (share: number, digits = 0): string => `${(100 * share).toFixed(digits)} %`;

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
