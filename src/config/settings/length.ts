import { choice, duration, setting, toggle, whole } from "../setting.ts";

/** How long a run is, and what decides its best epoch. */
export const lengthSettings = {
  batchSize: setting("--batch-size N", "Length of the run", "photos a step", whole(1)),
  accumulate: setting(
    "--accumulate N",
    "Length of the run",
    "micro-batches a step, to take less memory: gradients of N batches of batch-size/N photos are averaged before the " +
      "update; batch norms see the micro-batch, and their moving statistics move N times a step",
    whole(1),
  ),
  epochsFrozen: setting(
    "--epochs-frozen N",
    "Length of the run",
    "epochs of the first phase, with a part of the network frozen (--freeze)",
    whole(0),
  ),
  epochsFinetune: setting(
    "--epochs-finetune N",
    "Length of the run",
    "epochs of the second phase, with everything trained",
    whole(0),
  ),
  stepsPerEpoch: setting(
    "--steps-per-epoch N",
    "Length of the run",
    "none for as many as the training photos, augmentation aside, fill batches",
    whole(1).nullable(),
  ),
  budget: setting(
    "--budget TIME",
    "Length of the run",
    "let the run take about 45s, 6m or 1h in all: a few steps are timed on the adapter, and the steps of an epoch, in place of " +
      "--steps-per-epoch, chosen so that all epochs fit, schedules included (--time cuts a run short); none for no budget",
    duration().nullable(),
  ),
  monitor: setting(
    "--monitor NAME",
    "Length of the run",
    "the column of history.csv that decides which epoch is best (checkpoint best) and what --patience waits for; val_loss " +
      "falls, the others rise; auto: val_mean_iou where background (class 0) has more than half of the validation pixels, " +
      "else val_accuracy",
    choice(["auto", "val_accuracy", "val_mean_iou", "val_dice", "val_fw_iou", "val_loss"]),
  ),
  patience: setting(
    "--patience N",
    "Length of the run",
    "end a phase when what --monitor names has not become better for so many epochs; none for never",
    whole(1).nullable(),
  ),
  maxSteps: setting(
    "--max-steps N",
    "Length of the run",
    "end the run after so many steps in all; none for no such limit",
    whole(1).nullable(),
  ),
  time: setting(
    "--time TIME",
    "Length of the run",
    "end the run after 45s, 30m, 1.5h of training, wherever its schedules stand (--budget plans for a time); none for no such limit",
    duration().nullable(),
  ),
  overfitBatch: setting(
    "--overfit-batch",
    "Length of the run",
    "train and validate on one batch, again and again: a network that can learn gets it right",
    toggle(),
  ),
};
