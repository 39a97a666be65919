import { input, layers, model } from "@tensorflow/tfjs-layers";
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";

/** What `apply` below needs of a layer. */
interface Layer {
  apply(inputs: SymbolicTensor | SymbolicTensor[]): unknown;
}

/**
 * DenseNet121 without its top put together from tfjs's layers, by Keras's names: for where there is no file of it.
 * Its weights are left to be assigned.
 */
export function tfjsDenseNet121(): LayersModel {
  const apply = (layer: Layer, x: SymbolicTensor | SymbolicTensor[]): SymbolicTensor =>
    layer.apply(x) as SymbolicTensor;
  const bnRelu = (x: SymbolicTensor, norm: string, relu: string): SymbolicTensor =>
    apply(
      layers.reLU({ name: relu }),
      apply(layers.batchNormalization({ epsilon: 1.001e-5, name: norm }), x),
    );
  const conv = (x: SymbolicTensor, name: string, kernelSize: number, filters: number): SymbolicTensor =>
    apply(layers.conv2d({ name, kernelSize, filters, padding: "same", useBias: false }), x);

  const image = input({ shape: [null, null, 3] });
  let x = apply(layers.zeroPadding2d({ padding: 3 }), image);
  x = apply(layers.conv2d({ name: "conv1/conv", kernelSize: 7, strides: 2, filters: 64, useBias: false }), x);
  x = bnRelu(x, "conv1/bn", "conv1/relu");
  x = apply(layers.zeroPadding2d({ padding: 1 }), x);
  x = apply(layers.maxPooling2d({ poolSize: 3, strides: 2 }), x);
  let channels = 64;
  [6, 12, 24, 16].forEach((count, block, blocks) => {
    for (let layer = 1; layer <= count; layer++) {
      const name = `conv${block + 2}_block${layer}`;
      let added = bnRelu(x, `${name}_0_bn`, `${name}_0_relu`);
      added = conv(added, `${name}_1_conv`, 1, 128);
      added = bnRelu(added, `${name}_1_bn`, `${name}_1_relu`);
      added = conv(added, `${name}_2_conv`, 3, 32);
      x = apply(layers.concatenate(), [x, added]);
      channels += 32;
    }
    const last = block === blocks.length - 1;
    const name = `pool${block + 2}`;
    x = bnRelu(x, last ? "bn" : `${name}_bn`, last ? "relu" : `${name}_relu`);
    if (last) return;
    channels /= 2;
    x = apply(layers.averagePooling2d({ poolSize: 2, strides: 2 }), conv(x, `${name}_conv`, 1, channels));
  });
  return model({ inputs: image, outputs: x });
}
