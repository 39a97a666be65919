import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tablesOf } from "../../../bench/gpu/tables.ts";

/** A result that was measured, on a software adapter. */
const measured = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../bench/results/${name}.json`, import.meta.url), "utf8"));

const finetune = measured("step-finetune-32-lavapipe-25.0.7") as { results: Record<string, unknown>[] };
const quick = measured("quick-lavapipe-25.0.7") as { summary: unknown };
const [{ device, pipelinedMs }] = finetune.results as { device: string; pipelinedMs: number }[];

describe("the tables of a sitting", () => {
  it("hold what was measured, and name what was not", () => {
    const text = tablesOf(
      new Map<string, unknown>([
        ["step-finetune-f32", finetune],
        [
          "step-finetune-f32-without-robustness",
          { results: [{ ...finetune.results[0], pipelinedMs: pipelinedMs / 1.25 }] },
        ],
        ["step-tfjs", finetune],
        ["step-frozen-f32", measured("step-frozen-64-lavapipe-25.0.7")],
        [
          "pytorch-eager-tf32",
          {
            results: [
              {
                device: "a card",
                phase: "finetune",
                size: 32,
                batch: 2,
                pipelinedMs: 40,
                photosPerSecond: 50,
              },
            ],
          },
        ],
        ["kernels", measured("kernels-64-lavapipe-25.0.7")],
        ["article-f32", quick.summary],
        ["first", [{ name: "doctor", end: 0, seconds: 3 }]],
      ]),
    );
    const lines = text.split("\n");
    expect(lines[0]).toBe(`2 photos of 32² a step on ${device}:`);
    expect(lines).toContain("| bespoke, f32 | 399 ms | 5 | 11 % | 503 ms |");
    expect(lines).toContain("| bespoke, f16 | – | – | – | – |");
    expect(lines).toContain("| PyTorch, eager, TF32 | 40.0 ms | 50 | – | – |");
    expect(lines).toContain("| tfjs, WebGPU | 5801 ms | 0 | – | – |");
    expect(text).toContain("takes 319 ms: they cost 25 %.");
    expect(text).toMatch(/at best, 0\.0 TFLOP\/s of f32 and 6 GB\/s:/);
    expect(text).toMatch(/^\| forward \| \d+ \| \d+ % \| \d+ % \(.+\) \|$/m);
    expect(text).toMatch(/^\| f32 \| 84\.\d+ % \| 76\.\d+ % \| [\d.]+ s \| – \| \d+ s \|$/m);
    expect(lines.at(-1)).toBe(
      "Not measured: step-finetune-f16, step-frozen-f16, pytorch-eager-fp32, pytorch-amp-fp16, pytorch-compile-amp-fp16, article-f16.",
    );
  });

  it("say that there is nothing", () => {
    expect(tablesOf(new Map())).toMatch(/^No step was measured\./);
  });
});
