import type { TrainConfig } from "../../config/index.ts";
import type { Node, Tensor } from "../../graph/graph.ts";
import { adam } from "../../graph/optimizers/adam.ts";
import { adamw } from "../../graph/optimizers/adamw.ts";
import type { OptimizerOptions } from "../../graph/optimizers/optimizer.ts";
import { rmsprop } from "../../graph/optimizers/rmsprop.ts";
import { sgd } from "../../graph/optimizers/sgd.ts";

/** The optimizer of a run, and the numbers that it takes; those of others mean nothing to it. */
export interface OptimizerSpec {
  /** Which one. */
  readonly optimizer: TrainConfig["optimizer"];
  /** Of `adamw` and `sgd`; 0 by default. */
  readonly weightDecay?: number | undefined;
  /** Of `sgd`; 0 by default. */
  readonly sgdMomentum?: number | undefined;
  /** Of `sgd`; not by default. */
  readonly nesterov?: boolean | undefined;
  /** What the encoder's learning rate is of that of the others; 1 by default. */
  readonly encoderRateScale?: number | undefined;
}

/** What the optimizer makes of the gradients. */
export function updatesOf(
  spec: OptimizerSpec,
  gradients: ReadonlyMap<Tensor, Tensor>,
  others: OptimizerOptions,
): Node[] {
  const { optimizer, weightDecay = 0, sgdMomentum: momentum = 0, nesterov = false } = spec;
  const { encoderRateScale: ofEncoder = 1 } = spec;
  const learningRateScale = ({ variable }: Tensor): number => (variable?.group === "encoder" ? ofEncoder : 1);
  // Where all are alike no kernel need multiply.
  const options = ofEncoder === 1 ? others : { ...others, learningRateScale };
  switch (optimizer) {
    case "rmsprop":
      return rmsprop(gradients, options);
    case "adam":
      return adam(gradients, options);
    case "adamw":
      return adamw(gradients, { ...options, weightDecay });
    case "sgd":
      return sgd(gradients, { ...options, weightDecay, momentum, nesterov });
  }
}

/** `sgd with Nesterov's momentum 0.9 and weight decay 0.0001`. */
export function optimizerText({ optimizer, weightDecay, sgdMomentum, nesterov }: TrainConfig): string {
  const momentum =
    optimizer === "sgd" && sgdMomentum > 0 ? [`${nesterov ? "Nesterov's " : ""}momentum ${sgdMomentum}`] : [];
  const more = [...momentum, ...(weightDecay > 0 ? [`weight decay ${weightDecay}`] : [])];
  return [optimizer, ...(more.length > 0 ? [more.join(" and ")] : [])].join(" with ");
}
