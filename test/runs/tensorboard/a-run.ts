import sharp from "sharp";
import type { EpochResult, RunInfo, StepResult } from "../../../src/runs/observer.ts";

/** A plain PNG of one colour. */
export const png = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: { r: 200, g: 60, b: 20 } } })
    .png()
    .toBuffer();

export function runInfo(path: string, resumedAtStep = 0): RunInfo {
  const config = { preset: "quick", data: null, note: "a | b\nc" };
  return {
    path,
    config: config as unknown as RunInfo["config"],
    adapter: "llvmpipe (LLVM 15)",
    classNames: ["null", "dress"],
    monitor: "val_accuracy",
    epochs: 2,
    stepsPerEpoch: 3,
    trainingPhotos: 8,
    validationPhotos: 2,
    resumedAtStep,
  };
}

/** Results that say from which step they are. */
export const stepResult = (globalStep: number, loss = 1 / globalStep): StepResult => ({
  phase: "frozen",
  epoch: 1,
  step: globalStep,
  globalStep,
  loss,
  accuracy: 1 - 1 / globalStep,
  learningRate: 1e-3,
});

export const epochResult = (globalStep: number, predictions: Buffer): EpochResult => ({
  phase: "frozen",
  epoch: globalStep / 3,
  globalStep,
  loss: 0.5,
  accuracy: 0.75,
  seconds: 12,
  predictions,
  monitored: 0.875,
  validation: {
    loss: 0.625,
    accuracy: 0.875,
    meanIou: 0.25,
    meanDice: 0.375,
    frequencyWeightedIou: 0.75,
  } as EpochResult["validation"],
});
