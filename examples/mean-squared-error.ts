import { f32, lowerPixelMean, perItemKernel, sameShape, shapeText, sizeOf, batchSlice } from "bespoke";
import type { Kernel, KernelTarget, Tensor } from "bespoke";

/**
 * Mean of the squared differences between `prediction` and `truth`, both f32 of one shape `[N, ..]`: a scalar (Keras
 * `MeanSquaredError`). Only the prediction has a gradient.
 *
 * @throws Error when the shapes differ.
 */
export function meanSquaredError(prediction: Tensor, truth: Tensor): Tensor {
  if (!sameShape(prediction.shape, truth.shape)) {
    throw new Error(
      `meanSquaredError: "${prediction.name}" ${shapeText(prediction.shape)} and "${truth.name}" ` +
        `${shapeText(truth.shape)} differ in shape.`,
    );
  }
  const [batch] = prediction.shape;
  const perItem = sizeOf(prediction.shape.slice(1));
  return prediction.graph.apply(
    {
      name: "mean_squared_error",
      outputs: [{ shape: [], dtype: "f32" }],
      lower(l, [loss]) {
        const ranges = l.slices([prediction, truth]);
        lowerPixelMean(l, loss, batch, perItem, ranges, (squares, range) => {
          l.dispatch(squaredDifference(l.target, range.count * perItem), {
            prediction: batchSlice(prediction, range),
            truth: batchSlice(truth, range),
            squares,
          });
        });
      },
      gradient: ([dy]) => [() => meanSquaredErrorGradient(prediction, truth, dy!), null],
    },
    [prediction, truth],
  ).outputs[0];
}

function meanSquaredErrorGradient(prediction: Tensor, truth: Tensor, dy: Tensor): Tensor {
  const perItem = sizeOf(prediction.shape.slice(1));
  return prediction.graph.apply(
    {
      name: "mean_squared_error_gradient",
      outputs: [prediction],
      lower(l, [dx]) {
        for (const range of l.slices([prediction, truth, dx])) {
          l.dispatch(squaredDifferenceBackward(l.target, range.count * perItem, sizeOf(prediction.shape)), {
            prediction: batchSlice(prediction, range),
            truth: batchSlice(truth, range),
            dy,
            dx: batchSlice(dx, range),
          });
        }
      },
    },
    [prediction, truth, dy],
  ).outputs[0];
}

/** `(prediction − truth)²`, elementwise; all `[count]` f32. */
function squaredDifference(target: KernelTarget, count: number): Kernel {
  return perItemKernel(target, count, {
    label: "squared_difference",
    read: { prediction: "array<f32>", truth: "array<f32>" },
    write: { squares: "array<f32>" },
    body: "let d = load_prediction(index) - load_truth(index);\n  store_squares(index, d * d);",
  });
}

/** `2/n · dy · (prediction − truth)`: what the mean over `n` squares hands back to each; `dy` is a scalar. */
function squaredDifferenceBackward(target: KernelTarget, count: number, n: number): Kernel {
  return perItemKernel(target, count, {
    label: "squared_difference_backward",
    read: { prediction: "array<f32>", truth: "array<f32>", dy: "array<f32>" },
    write: { dx: "array<f32>" },
    params: { factor: f32(2 / n) },
    body: /* wgsl */ `
  let d = load_prediction(index) - load_truth(index);
  store_dx(index, params.factor * load_dy(0) * d);`,
  });
}
