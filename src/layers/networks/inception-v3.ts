import { defineEncoder, KERAS_FILES } from "./encoder.ts";
import { INPUT } from "./layer.ts";
import type { LayerOperation, Size } from "./layer.ts";
import type { LayerList } from "./layer-list.ts";
import { NumberedNames } from "./numbered-names.ts";

/** A convolution with batch norm and ReLU: filters, kernel, and of one that halves the size, `halves`. */
type Unit = readonly [filters: number, height: number, width: number, halves?: "halves"];

/**
 * InceptionV3 (Szegedy et al. 2015) as `keras.applications.inception_v3` builds it; most of its layers have the names
 * that a fresh session of Keras gives them (but for two concatenations, whose names the decoder's have). Its batch norms have no gamma.
 *
 * Its taps are the last layers before each halving, and the last of all. Many of its windows take no padding, so that
 * they are smaller than the photo's size divided by 2, 4, 8, 16 and 32: of a photo of 128², 61, 28, 13, 6 and 2 wide.
 * For a decoder zeros are put around them.
 */
export const inceptionV3 = defineEncoder({
  name: "inceptionv3",
  title: "InceptionV3",
  preprocessing: "tf",
  weights: {
    noTop: {
      url: `${KERAS_FILES}/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5`,
      md5: "bcbd6486424b2319ff4ef7d526e38f63",
    },
    withTop: {
      url: `${KERAS_FILES}/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels.h5`,
      md5: "9a0d58056eeedaa3f26cb7ebd46da564",
    },
  },
  smallestImage: 75,
  taps: ["activation_2", "activation_4", "mixed2", "mixed7", "mixed10"],
  build: (list) => {
    const net = new Inception(list);
    let x = net.unit(INPUT, [32, 3, 3, "halves"]);
    x = net.unit(x, [32, 3, 3], "valid");
    x = net.maxPool(net.unit(x, [64, 3, 3]));
    x = net.unit(x, [80, 1, 1], "valid");
    x = net.maxPool(net.unit(x, [192, 3, 3], "valid"));

    for (const [i, pooled] of [32, 64, 64].entries()) {
      x = net.mixed(`mixed${i}`, [
        net.chain(x, [64, 1, 1]),
        net.chain(x, [48, 1, 1], [64, 5, 5]),
        net.chain(x, [64, 1, 1], [96, 3, 3], [96, 3, 3]),
        net.chain(net.averagePool(x), [pooled, 1, 1]),
      ]);
    }
    x = net.mixed("mixed3", [
      net.chain(x, [384, 3, 3, "halves"]),
      net.chain(x, [64, 1, 1], [96, 3, 3], [96, 3, 3, "halves"]),
      net.maxPool(x),
    ]);
    for (const [i, inner] of [128, 160, 160, 192].entries()) {
      const [across, down] = [
        [inner, 1, 7],
        [inner, 7, 1],
      ] as const;
      x = net.mixed(`mixed${i + 4}`, [
        net.chain(x, [192, 1, 1]),
        net.chain(x, [inner, 1, 1], across, [192, 7, 1]),
        net.chain(x, [inner, 1, 1], down, across, down, [192, 1, 7]),
        net.chain(net.averagePool(x), [192, 1, 1]),
      ]);
    }
    x = net.mixed("mixed8", [
      net.chain(x, [192, 1, 1], [320, 3, 3, "halves"]),
      net.chain(x, [192, 1, 1], [192, 1, 7], [192, 7, 1], [192, 3, 3, "halves"]),
      net.maxPool(x),
    ]);
    for (const i of [0, 1]) {
      x = net.mixed(`mixed${i + 9}`, [
        net.chain(x, [320, 1, 1]),
        net.split(`mixed9_${i}`, net.chain(x, [384, 1, 1])),
        net.split(`mixed9_${i}_double`, net.chain(x, [448, 1, 1], [384, 3, 3])),
        net.chain(net.averagePool(x), [192, 1, 1]),
      ]);
    }
    return x;
  },
  buildTop: (list, x, classes) => {
    const mean = list.add("avg_pool", { kind: "GlobalAveragePooling2D" }, x);
    list.add("predictions", { kind: "Dense", units: classes, activation: "softmax" }, mean);
  },
});

class Inception {
  readonly #list: LayerList;
  readonly #names = new NumberedNames();

  constructor(list: LayerList) {
    this.#list = list;
  }

  unit(x: string, [filters, height, width, halves]: Unit, padding: "same" | "valid" = "same"): string {
    const kernelSize: Size = [height, width];
    const window = halves ? ({ strides: 2, padding: "valid" } as const) : { strides: 1, padding };
    const y = this.#add("conv2d", { kind: "Conv2D", filters, kernelSize, ...window, useBias: false }, x);
    const norm = { kind: "BatchNormalization", epsilon: 1e-3, momentum: 0.99, scale: false } as const;
    return this.#add(
      "activation",
      { kind: "Activation", activation: "relu" },
      this.#add("batch_normalization", norm, y),
    );
  }

  /** Units one after the other. */
  chain(x: string, ...units: Unit[]): string {
    return units.reduce((y, unit) => this.unit(y, unit), x);
  }

  /** A 1×3 and a 3×1 convolution of the same, side by side. */
  split(name: string, x: string): string {
    const parts = [this.unit(x, [384, 1, 3]), this.unit(x, [384, 3, 1])];
    return this.#list.add(name, { kind: "Concatenate" }, ...parts);
  }
  mixed(name: string, branches: readonly string[]): string {
    return this.#list.add(name, { kind: "Concatenate" }, ...branches);
  }

  /** Halves the size. */
  maxPool(x: string): string {
    return this.#add("max_pooling2d", { kind: "MaxPooling2D", poolSize: 3, strides: 2, padding: "valid" }, x);
  }

  averagePool(x: string): string {
    const window = { poolSize: 3, strides: 1, padding: "same" } as const;
    return this.#add("average_pooling2d", { kind: "AveragePooling2D", ...window }, x);
  }

  #add(kind: string, operation: LayerOperation, x: string): string {
    return this.#list.add(this.#names.next(kind), operation, x);
  }
}
