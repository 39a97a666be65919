import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

/**
 * Makes tfjs's WebAssembly backend the active one: the whole network takes its CPU backend minutes. It lacks one kernel
 * that training needs, the gradient of a convolution by its kernel, which is put together from ops it has.
 */
export async function useTfjsWasm(): Promise<void> {
  const main = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  if (!tf.getKernel(tf.Conv2DBackpropFilter, "wasm")) {
    setWasmPaths(dirname(main) + sep);
    registerKernelGradient("wasm");
  }
  await tf.setBackend("wasm");
}

/** Makes tfjs's CPU backend the active one, with the same kernel in place of its own, which is many times slower. */
export async function useTfjsCpuForTraining(): Promise<void> {
  // Without it the backend greets whoever runs it in Node.
  tf.enableProdMode();
  tf.unregisterKernel(tf.Conv2DBackpropFilter, "cpu");
  registerKernelGradient("cpu");
  await tf.setBackend("cpu");
}

function registerKernelGradient(backendName: string): void {
  tf.registerKernel({
    kernelName: tf.Conv2DBackpropFilter,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { strides, pad, filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
      const [x, dy] = [inputs.x, inputs.dy] as tf.Tensor4D[];
      const padding = pad as "same" | "valid";
      return kernelGradient(
        x,
        dy,
        tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, padding),
      );
    },
  });
}
/** For each tap of the kernel, the product of the pixels it reads, transposed, and `dy`. */
function kernelGradient(x: tf.Tensor4D, dy: tf.Tensor4D, info: tf.backend_util.Conv2DInfo): tf.Tensor {
  return tf.tidy(() => {
    const { batchSize, inChannels, outChannels, outHeight, outWidth, strideHeight, strideWidth } = info;
    const { top, bottom, left, right } = info.padInfo;
    const padded = tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
    const gradients = tf.reshape(dy, [-1, outChannels]);
    const lastRow = (outHeight - 1) * strideHeight;
    const lastColumn = (outWidth - 1) * strideWidth;
    const taps: tf.Tensor[] = [];
    for (let ky = 0; ky < info.filterHeight; ky++) {
      for (let kx = 0; kx < info.filterWidth; kx++) {
        const end = [batchSize, ky + lastRow + 1, kx + lastColumn + 1, inChannels];
        const pixels = tf.stridedSlice(padded, [0, ky, kx, 0], end, [1, strideHeight, strideWidth, 1]);
        taps.push(tf.matMul(tf.reshape(pixels, [-1, inChannels]), gradients, true, false));
      }
    }
    return tf.reshape(tf.stack(taps), info.filterShape);
  });
}
