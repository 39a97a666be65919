import { readFile } from "node:fs/promises";
import { Graph } from "../../src/graph/graph.ts";
import { relu } from "../../src/graph/ops/relu.ts";
import { plan } from "../../src/graph/plan.ts";
import type { Plan } from "../../src/graph/plan.ts";
import { resolveConfig } from "../../src/config/index.ts";
import { ConfusionMatrix } from "../../src/runs/metrics.ts";
import type { EpochResult, RunInfo, RunObserver } from "../../src/runs/observer.ts";
import type { Phase } from "../../src/runs/phase.ts";
import type { Summary } from "../../src/runs/summary.ts";
import { paperTarget } from "../helpers/target.ts";

/** A run that nobody trains: what an observer would be told of one, at any speed. */
export class SimulatedRun {
  readonly info: RunInfo;
  #globalStep: number;

  constructor(path: string, { epochs = 4, stepsPerEpoch = 6, resumedAtStep = 0 } = {}) {
    const config = {
      ...resolveConfig([], "software"),
      batchSize: 4,
      epochsFrozen: epochs / 2,
      epochsFinetune: epochs / 2,
    };
    const counts = { epochs, stepsPerEpoch, trainingPhotos: 800, validationPhotos: 200 };
    const classNames = ["null", "hair", "skin"];
    const adapter = "An adapter on paper";
    this.info = { path, config, adapter, classNames, monitor: "val_mean_iou", ...counts, resumedAtStep };
    this.#globalStep = resumedAtStep;
  }

  phaseOf(epoch: number): Phase {
    return epoch <= this.info.epochs / 2 ? "frozen" : "finetune";
  }

  steps(observer: RunObserver, epoch: number, count = this.info.stepsPerEpoch): void {
    for (let step = 1; step <= count; step++) {
      const globalStep = ++this.#globalStep;
      const [loss, accuracy] = this.#curve(globalStep);
      const phase = this.phaseOf(epoch);
      observer.step?.({ phase, epoch, step, globalStep, loss, accuracy, learningRate: 1e-3 });
    }
  }

  async epoch(observer: RunObserver, epoch: number): Promise<void> {
    const [loss, accuracy] = this.#curve(this.#globalStep, 0);
    const result: EpochResult = {
      phase: this.phaseOf(epoch),
      epoch,
      globalStep: this.#globalStep,
      loss,
      accuracy,
      validation: {
        loss: loss * 1.1,
        accuracy: accuracy - 0.01,
        meanIou: accuracy / 4,
        meanDice: accuracy / 3,
        frequencyWeightedIou: accuracy - 0.1,
        backgroundAccuracy: 0.7616,
        count: this.info.validationPhotos,
        confusion: new ConfusionMatrix(3),
        predictions: [],
        scores: { photos: [], worst: [], best: [] },
      },
      monitored: accuracy / 4,
      predictions: await readFile(new URL("../../docs/predictions.png", import.meta.url)),
      seconds: 52.5,
    };
    await observer.epoch?.(result);
  }

  /** From the first step to the end. */
  async whole(observer: RunObserver, plans: (phase: Phase) => Plan = smallPlan): Promise<void> {
    await observer.start?.(this.info);
    for (let epoch = 1; epoch <= this.info.epochs; epoch++) {
      const phase = this.phaseOf(epoch);
      if (epoch === 1 || phase !== this.phaseOf(epoch - 1)) await observer.phase?.(phase, plans(phase));
      this.steps(observer, epoch);
      await this.epoch(observer, epoch);
    }
    await observer.end?.(this.summary());
  }

  summary(): Summary {
    const { epochs, stepsPerEpoch, adapter, validationPhotos } = this.info;
    const [loss, accuracy] = this.#curve(this.#globalStep, 0);
    return {
      val_accuracy: accuracy - 0.01,
      val_loss: loss * 1.1,
      val_mean_iou: accuracy / 4,
      val_dice: accuracy / 3,
      val_fw_iou: accuracy - 0.1,
      val_mean_accuracy: accuracy / 3,
      background_accuracy: 0.7616,
      monitor: "val_mean_iou",
      best_epoch: epochs,
      best_value: accuracy / 4,
      best_val_accuracy: accuracy - 0.01,
      validation_photos: validationPhotos,
      epochs,
      steps: epochs * stepsPerEpoch,
      ending: "finished",
      seconds: 52.5 * epochs,
      seconds_per_epoch: { frozen: 40, finetune: 65 },
      data_wait_seconds: 1.5,
      data_wait_share: 0.004,
      adapter,
      pipelines: 32,
      peak_bytes: 263_515_676,
      planned_peak_bytes: 233_843_404,
      dispatches_per_step: 1978,
    };
  }

  /** Loss and accuracy that fall and rise as a real run's do; noise makes the step's, none the epoch's. */
  #curve(globalStep: number, noise = 1): [number, number] {
    const share = globalStep / (this.info.epochs * this.info.stepsPerEpoch);
    const wave = noise * Math.sin(globalStep * 12.9898) * Math.cos(globalStep * 4.1414);
    return [
      0.62 + 3.4 * Math.exp(-14 * share) + 0.07 * wave,
      0.83 - 0.3 * Math.exp(-12 * share) + 0.02 * wave,
    ];
  }
}

/** A chain of a few ops, a dispatch each. */
export function smallPlan(phase: Phase = "frozen"): Plan {
  const graph = new Graph();
  let x = graph.input("x", [8, 1000]);
  for (let i = 0; i < (phase === "frozen" ? 6 : 12); i++) x = relu(x);
  return plan({ outputs: { x }, fuse: false }, paperTarget);
}
