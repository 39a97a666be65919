import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as engine from "bespoke";
import * as layers from "bespoke/layers";
import * as networks from "bespoke/networks";
import * as nn from "bespoke/nn";
import * as node from "bespoke/node";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const words = (text: string): string => text.trim().split(/\s+/).join(" ");
const names = (module: object): string => Object.keys(module).sort().join(" ");

/** A function that makes a tensor, whatever its type, or an optimizer's updates. */
const OP =
  /^export (?:function |const )(\w+)(?: = )?(?:<[^(]+>)?\([^)]*\): (?:Tensor(?:<[^>]+>)?|Node\[\]) (?:\{|=>)/gm;
/** One of a table of ops. */
const NAMED_OP = /^export const (\w+) = \/\* @__PURE__ \*\/ \w+\("\1"/gm;

describe("what the library exports", () => {
  // A name that goes or comes is a change to everyone's programs: say so in CHANGELOG.md.
  it("bespoke", () => {
    expect(names(engine)).toBe(
      words(`
      BatchPrograms Gpu GpuError Graph Program Variables abs activation adam adamw add addN argmax
      batchSlice bytesOf cast clipByGlobalNorm compile concat constant cos defineKernel
      describeMemoryPlan divide elementwise embedding equal erf exp expandDims exponentialMovingAverage
      f32 fill floor gather gelu globalNorm glorotNormal glorotUniform gradients greater greaterEqual
      heNormal heUniform i32 kernelTarget kernelTimes lecunNormal lecunUniform less lessEqual linearGrid
      linearIndex log lossScaling lowerElementwise lowerPixelMean matmul max maximum mean min minimum
      multiply negative notEqual oneHot ones orthogonal pad part partValues perItemKernel plan power
      printKernelTimes randomNormal randomUniform reciprocal relu reshape rmsprop rsqrt sameShape scale
      seededRandom sgd shapeText sigmoid sign silu sin sizeOf slice sliceChannels softplus split sqrt
      square squeeze stack stopGradient subtract sum tanh trainable transpose truncatedNormal u32
      unstack variableParts varianceScaling where zeros`),
    );
  });

  it("bespoke/nn", () => {
    expect(names(nn)).toBe(
      words(`
      MOMENTS_OF_ALL MOMENT_GRADIENTS_OF_ALL accuracy affine affineConstants attentionWeights averagePool2d batchNormInference
      batchNormTraining biasAdd binaryCrossentropy categoricalCrossentropy channelSum confusionMatrix
      conv2d conv2dTranspose crop2d crossEntropyAndAccuracy dense depthwiseConv2d diceLoss dropout
      focalLoss globalAveragePool2d groupNormalization huber layerNormalization lovaszSoftmax maxPool2d
      meanAbsoluteError meanSquaredError multiplyChannels pixelCount runCount softmax
      sparseSoftmaxCrossEntropy standardize synchronizedBatchNorm tverskyLoss upsampleBilinear2x upsampleNearest2x
      upsampledConv2d zeroPad2d`),
    );
  });

  it("bespoke/layers", () => {
    expect(names(layers)).toBe(
      words(`
      activation averagePooling2d batchNormalization conv2d conv2dTranspose defineLayer dense
      depthwiseConv2d dropout embedding flatten globalAveragePooling2d groupNormalization
      layerNormalization maxPooling2d multiHeadAttention reshape separableConv2d sequential`),
    );
  });

  it("bespoke/networks", () => {
    expect(names(networks)).toBe(
      words(`
      ENCODERS LayerList buildLayers encode encoderNamed isDecoderGroup skipsOf unet unetDecoder
      unetEncoder unetLayers`),
    );
  });

  it("bespoke/node", () => {
    expect(names(node)).toBe(
      words(`
      CLOTHING_CLASSES DataError FileError FolderDataset GeneratedDataset WeightsError assembleBatch assignWeights
      describeAdapter evaluationBatches listAdapters loadWeights openGpu readSafetensors subset
      trainTestSplit trainingBatches writeModel writeSafetensors`),
    );
  });

  it("bespoke/train", async () => {
    const training = await import("bespoke/train");
    expect(names(training)).toBe(
      words(`
      ConfigError TfEventsWriter Trainer TrainingDivergedError allOf createProgress resolveConfig
      tensorBoard train`),
    );
  });

  it("every op, optimizer and layer there is", async () => {
    // What these are made of.
    const internal = ["applyForward", "applyBackwardData", "applyBackwardWeights"];
    internal.push("channelSumGradient", "momentsGradient", "repeatEdges", "bilinearSums");
    internal.push("reduction", "sumTo", "broadcastTo", "reduceLosses", "reduceSamples");
    internal.push("rowsProduct", "matrixProduct");
    internal.push("partAt", "joinParts", "cutBox", "padBox", "adamUpdates");
    internal.push("activated", "dropped");
    internal.push("learningRateTensor", "upsampleBlock", "upsampleHead", "withMovingStatistics");
    const missing: string[] = [];
    // Layers are called as the functions that they apply, as in Keras and tf.nn.
    const here = [engine, nn, networks].flatMap((entry) => Object.keys(entry));
    expect(here.length).toBe(new Set(here).size);
    let found = 0;
    for (const folder of ["src/graph/ops", "src/graph/optimizers", "src/layers"]) {
      for (const file of await readdir(folder, { recursive: true })) {
        if (!file.endsWith(".ts")) continue;
        const source = await readFile(join(folder, file), "utf8");
        for (const [, name] of [...source.matchAll(OP), ...source.matchAll(NAMED_OP)]) {
          found += 1;
          if (!here.includes(name)) missing.push(name);
        }
      }
    }
    expect(found).toBeGreaterThan(90);
    expect(missing.filter((name) => !internal.includes(name))).toEqual([]);
  });

  it("the engine needs nothing of Node's: it bundles for a browser", async () => {
    const bundle = (entry: string): ReturnType<typeof build> =>
      build({
        entryPoints: [entry],
        bundle: true,
        write: false,
        platform: "browser",
        format: "esm",
        logLevel: "silent",
      });
    for (const entry of ["index", "nn", "layers", "networks"]) {
      const { outputFiles } = await bundle(`src/${entry}.ts`);
      expect(outputFiles![0].text).not.toMatch(/\bprocess\.|\bBuffer\b|["'`]node:/);
    }
    await expect(bundle("src/node.ts")).rejects.toThrow(/node:/);
  });
});
