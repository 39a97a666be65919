/**
 * @file What `import … from "bespoke/node"` gives: a GPU through Dawn, data sets and weights files, all of which need
 * Node. Training runs are in `bespoke/train`.
 */

// The device.
export { describeAdapter, listAdapters } from "./adapter/adapters.ts";
export type { AdapterDescription } from "./adapter/adapters.ts";
export { openGpu } from "./adapter/open-gpu.ts";

// Data.
export { assembleBatch } from "./data/batch.ts";
export type { Batch } from "./data/batch.ts";
export { evaluationBatches, trainingBatches } from "./data/batches.ts";
export type { BatchOptions, BatchState, TrainingBatch, TrainingBatchOptions } from "./data/batches.ts";
export { CLOTHING_CLASSES } from "./data/class-names.ts";
export { DataError } from "./data/data-error.ts";
export type { Sample, SegmentationDataset } from "./data/dataset.ts";
export { FolderDataset } from "./data/folder-dataset.ts";
export type { FolderOptions } from "./data/folder-dataset.ts";
export { GeneratedDataset } from "./data/generated-dataset.ts";
export type { GeneratedOptions } from "./data/generated-dataset.ts";
export { trainTestSplit } from "./data/split.ts";
export type { Split } from "./data/split.ts";
export { subset } from "./data/subset.ts";

// Weights.
export { FileError } from "./files/file-error.ts";
export { assignWeights, loadWeights } from "./weights/load.ts";
export type { AssignedWeights, ExpectedWeight, LoadedWeights, WeightsFormat } from "./weights/load.ts";
export { readSafetensors, writeSafetensors } from "./weights/safetensors-file.ts";
export type { Safetensors } from "./weights/safetensors-file.ts";
export { writeModel } from "./weights/write.ts";
export type { ModelToWrite, WriteModelOptions, WrittenFormat } from "./weights/write.ts";
export type { HostTensor, Metadata, NamedTensors, TensorData } from "./weights/tensors.ts";
export { WeightsError } from "./weights/weights-error.ts";
