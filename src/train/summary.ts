/** What `summary.json` says of a run that came to its end. */
export interface Summary {
  /** Share of pixels told right on the validation photos, by the weights of the last epoch. */
  readonly val_accuracy: number;
  readonly val_loss: number;
  /** The accuracy of predicting class 0 everywhere on the same photos. */
  readonly background_accuracy: number;
  readonly best_epoch: number;
  readonly best_val_accuracy: number;
  readonly validation_photos: number;
  readonly epochs: number;
  readonly steps: number;
  /** Photos seen in training, repetitions counted. */
  readonly images: number;
  /** From start to end: reading, compiling, training, validation and figures. */
  readonly seconds: number;
  /** Of these, spent waiting for the next batch. */
  readonly data_wait_seconds: number;
  readonly adapter: string;
  /** Distinct pipelines of the last phase's training step. */
  readonly pipelines: number;
  /** The most bytes that were allocated on the GPU at any time, all programs together. */
  readonly peak_bytes: number;
  /** What the last phase's training step was planned to take. */
  readonly planned_peak_bytes: number;
  readonly dispatches_per_step: number;
}
