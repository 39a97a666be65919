import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as engine from "bespoke";
import * as node from "bespoke/node";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const words = (text: string): string => text.trim().split(/\s+/).join(" ");
const names = (module: object): string => Object.keys(module).sort().join(" ");

/** A function that makes a tensor, whatever its type, or an optimizer's updates. */
const OP =
  /^export (?:function |const )(\w+)(?: = )?(?:<[^(]+>)?\([^)]*\): (?:Tensor(?:<[^>]+>)?|Node\[\]) (?:\{|=>)/gm;
/** One of a table of ops. */
const NAMED_OP = /^export const (\w+) = \w+\("\1"/gm;

describe("what the library exports", () => {
  // A name that goes or comes is a change to everyone's programs: say so in CHANGELOG.md.
  it("bespoke", () => {
    expect(names(engine)).toBe(
      words(`
      ENCODERS Gpu GpuError Graph LayerList Program Variables abs accuracy activation adam adamw add addN
      affine affineConstants argmax averagePool2d batchNormInference batchNormTraining batchNormalization
      biasAdd buildLayers bytesOf cast channelSum clipByGlobalNorm compile concat confusionMatrix constant
      conv2d conv2dTranspose cos crop2d crossEntropyAndAccuracy defineKernel dense depthwiseConv2d
      describeMemoryPlan diceLoss divide dropout elementwise encode encoderNamed equal erf exp
      exponentialMovingAverage f32 fill floor focalLoss gelu globalAveragePool2d globalNorm glorotUniform
      gradients greater greaterEqual i32 isDecoderGroup kernelTarget kernelTimes less lessEqual linearGrid
      linearIndex log lossScaling lovaszSoftmax lowerElementwise lowerPixelMean matmul max maxPool2d maximum
      mean min minimum multiply multiplyChannels negative notEqual ones part partValues perItemKernel
      pixelCount plan power printKernelTimes randomNormal reciprocal relu reshape rmsprop rsqrt sameShape
      scale seededRandom sgd shapeText sigmoid sign silu sin sizeOf skipsOf slice sliceChannels softmax
      softplus sparseSoftmaxCrossEntropy sqrt square standardize stopGradient subtract sum tanh trainable
      transpose tverskyLoss u32 unet unetDecoder unetEncoder unetLayers upsampleBilinear2x upsampleNearest2x
      upsampledConv2d variableParts where zeroPad2d zeros`),
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
    internal.push("reduction", "sumTo", "broadcastTo");
    internal.push("partAt", "joinParts", "adamUpdates");
    internal.push("learningRateTensor", "upsampleBlock", "upsampleHead", "withMovingStatistics");
    const missing: string[] = [];
    let found = 0;
    for (const folder of ["src/graph/ops", "src/graph/optimizers", "src/layers"]) {
      for (const file of await readdir(folder, { recursive: true })) {
        if (!file.endsWith(".ts")) continue;
        const source = await readFile(join(folder, file), "utf8");
        for (const [, name] of [...source.matchAll(OP), ...source.matchAll(NAMED_OP)]) {
          found += 1;
          if (!(name in engine)) missing.push(name);
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
    const { outputFiles } = await bundle("src/index.ts");
    expect(outputFiles![0].text).not.toMatch(/\bprocess\.|\bBuffer\b|["'`]node:/);
    await expect(bundle("src/node.ts")).rejects.toThrow(/node:/);
  });
});
