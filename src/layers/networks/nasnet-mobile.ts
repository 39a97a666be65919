import { defineEncoder, KERAS_FILES } from "./encoder.ts";
import { INPUT } from "./layer.ts";
import type { LayerOperation } from "./layer.ts";
import type { LayerList } from "./layer-list.ts";
import { NumberedNames } from "./numbered-names.ts";

/** Filters of the first stage's cells; each reduction doubles them. */
const FILTERS = 44;
/** Normal cells in each stage. */
const CELLS = 4;

/**
 * NASNetMobile (Zoph et al. 2017) as `keras.applications.nasnet` builds it; the layers to which it gives no name have those of
 * a fresh session of Keras (but for its adjustments' concatenations, whose names the decoder's have).
 *
 * Its taps are the ReLUs that the cell behind each halving reads first, and the last of all. The first convolution takes no
 * padding: its map is one pixel narrower than half the photo, and a decoder gets it with zeros at its end.
 */
export const nasNetMobile = defineEncoder({
  name: "nasnetmobile",
  title: "NASNetMobile",
  preprocessing: "tf",
  weights: {
    noTop: { url: `${KERAS_FILES}/nasnet/NASNet-mobile-no-top.h5`, md5: "1ed92395b5b598bdda52abe5c0dbfd63" },
    withTop: { url: `${KERAS_FILES}/nasnet/NASNet-mobile.h5`, md5: "020fb642bf7360b370c678b08e0adf61" },
  },
  taps: ["activation", "activation_11", "activation_70", "activation_129", "activation_187"],
  build: (list) => new NasNet(list).addLayers(),
  buildTop: (list, x, classes) => {
    const mean = list.add("global_average_pooling2d", { kind: "GlobalAveragePooling2D" }, x);
    list.add("predictions", { kind: "Dense", units: classes, activation: "softmax" }, mean);
  },
});

const CONVOLUTION = {
  kind: "Conv2D",
  kernelSize: [1, 1],
  strides: 1,
  padding: "same",
  useBias: false,
} as const;

/** What a cell reads. */
interface Inputs {
  /** The result of the cell before it. */
  readonly x: string;
  /** That of the one before that; the first cell has none. */
  readonly previous: string | null;
  /** Whether `x` is half as large as `previous`. */
  readonly halved: boolean;
}

class NasNet {
  readonly #list: LayerList;
  readonly #names = new NumberedNames();

  constructor(list: LayerList) {
    this.#list = list;
  }

  addLayers(): string {
    const stem = { ...CONVOLUTION, filters: 32, kernelSize: [3, 3], strides: 2, padding: "valid" } as const;
    let inputs: Inputs = {
      x: this.#normalized("stem_bn1", this.#list.add("stem_conv1", stem, INPUT)),
      previous: null,
      halved: false,
    };
    const reduce = (id: string, filters: number): void => {
      inputs = { x: this.#reduction(id, inputs, filters), previous: inputs.x, halved: true };
    };
    const normal = (id: number, filters: number): void => {
      inputs = { x: this.#normal(`${id}`, inputs, filters), previous: inputs.x, halved: false };
    };
    reduce("stem_1", FILTERS / 4);
    reduce("stem_2", FILTERS / 2);
    for (let i = 0; i < CELLS; i++) normal(i, FILTERS);
    reduce(`reduce_${CELLS}`, 2 * FILTERS);
    for (let i = 1; i <= CELLS; i++) normal(CELLS + i, 2 * FILTERS);
    reduce(`reduce_${2 * CELLS}`, 4 * FILTERS);
    for (let i = 1; i <= CELLS; i++) normal(2 * CELLS + i, 4 * FILTERS);
    return this.#relu(inputs.x);
  }

  /** A cell that keeps the size; six times `filters` channels. */
  #normal(id: string, inputs: Inputs, filters: number): string {
    const p = this.#adjusted(id, inputs, filters);
    const h = this.#squeezed(`normal_conv_1_${id}`, `normal_bn_1_${id}`, inputs.x, filters);
    const separable = (x: string, size: number, name: string): string =>
      this.#separable(`${name}_${id}`, x, { size, filters, strides: 1 });
    const sums = [
      this.#sum(`normal_add_1_${id}`, separable(h, 5, "normal_left1"), separable(p, 3, "normal_right1")),
      this.#sum(`normal_add_2_${id}`, separable(p, 5, "normal_left2"), separable(p, 3, "normal_right2")),
      this.#sum(`normal_add_3_${id}`, this.#averaged(`normal_left3_${id}`, h), p),
      this.#sum(
        `normal_add_4_${id}`,
        this.#averaged(`normal_left4_${id}`, p),
        this.#averaged(`normal_right4_${id}`, p),
      ),
      this.#sum(`normal_add_5_${id}`, separable(h, 3, "normal_left5"), h),
    ];
    return this.#list.add(`normal_concat_${id}`, { kind: "Concatenate" }, p, ...sums);
  }

  /** A cell that halves the size; four times `filters` channels. */
  #reduction(id: string, inputs: Inputs, filters: number): string {
    const p = this.#adjusted(id, inputs, filters);
    const h = this.#squeezed(`reduction_conv_1_${id}`, `reduction_bn_1_${id}`, inputs.x, filters);
    const padded = this.#list.add(
      `reduction_pad_1_${id}`,
      { kind: "ZeroPadding2D", padding: { halving: 3 } },
      h,
    );
    const halving = (x: string, size: number, name: string): string =>
      this.#separable(`${name}_${id}`, x, { size, filters, strides: 2 });
    const pooled = (kind: "MaxPooling2D" | "AveragePooling2D", name: string): string =>
      this.#list.add(`${name}_${id}`, { kind, poolSize: 3, strides: 2, padding: "valid" }, padded);

    const first = this.#sum(
      `reduction_add_1_${id}`,
      halving(h, 5, "reduction_left1"),
      halving(p, 7, "reduction_right1"),
    );
    const second = this.#sum(
      `reduction_add_2_${id}`,
      pooled("MaxPooling2D", "reduction_left2"),
      halving(p, 7, "reduction_right2"),
    );
    const third = this.#sum(
      `reduction_add3_${id}`,
      pooled("AveragePooling2D", "reduction_left3"),
      halving(p, 5, "reduction_right3"),
    );
    const averaged = this.#averaged(`reduction_left4_${id}`, first);
    const fourth = this.#sum(this.#names.next("add"), second, averaged);
    const fifth = this.#sum(
      `reduction_add4_${id}`,
      this.#separable(`reduction_left4_${id}`, first, { size: 3, filters, strides: 1 }),
      pooled("MaxPooling2D", "reduction_right5"),
    );
    return this.#list.add(`reduction_concat_${id}`, { kind: "Concatenate" }, second, third, fourth, fifth);
  }

  /**
   * What a cell reads of the cell before the one before it, with the channels and the size of the rest. Halving takes every
   * second pixel of the even rows and columns for one half of the channels, and of the odd ones for the other.
   */
  #adjusted(id: string, { x, previous, halved }: Inputs, filters: number): string {
    if (previous === null) return x;
    if (!halved) {
      const projection = { ...CONVOLUTION, filters };
      const y = this.#list.add(`adjust_conv_projection_${id}`, projection, this.#relu(previous));
      return this.#normalized(`adjust_bn_${id}`, y);
    }
    const half = (part: number, from: string): string => {
      const everySecond = { kind: "AveragePooling2D", poolSize: 1, strides: 2, padding: "valid" } as const;
      const y = this.#list.add(`adjust_avg_pool_${part}_${id}`, everySecond, from);
      return this.#list.add(`adjust_conv_${part}_${id}`, { ...CONVOLUTION, filters: filters / 2 }, y);
    };
    const y = this.#list.add(`adjust_relu_1_${id}`, { kind: "Activation", activation: "relu" }, previous);
    const even = half(1, y);
    const atEnd = { top: 0, bottom: 1, left: 0, right: 1 };
    const atBegin = { top: 1, bottom: 0, left: 1, right: 0 };
    const shifted = this.#add(
      "cropping2d",
      { kind: "Cropping2D", cropping: atBegin },
      this.#add("zero_padding2d", { kind: "ZeroPadding2D", padding: atEnd }, y),
    );
    const both = this.#list.add(`adjust_concat_${id}`, { kind: "Concatenate" }, even, half(2, shifted));
    return this.#normalized(`adjust_bn_${id}`, both);
  }

  /** ReLU, 1×1 to `filters` channels, batch norm. */
  #squeezed(conv: string, norm: string, x: string, filters: number): string {
    return this.#normalized(norm, this.#list.add(conv, { ...CONVOLUTION, filters }, this.#relu(x)));
  }

  /** Twice ReLU, separable convolution, batch norm; the first convolution has the strides. */
  #separable(
    id: string,
    x: string,
    { size, filters, strides }: { size: number; filters: number; strides: number },
  ): string {
    const convolution = {
      kind: "SeparableConv2D",
      filters,
      kernelSize: [size, size],
      useBias: false,
    } as const;
    let y = this.#relu(x);
    if (strides === 2) {
      const padding = { halving: size };
      y = this.#list.add(`separable_conv_1_pad_${id}`, { kind: "ZeroPadding2D", padding }, y);
    }
    const padding = strides === 2 ? "valid" : "same";
    y = this.#list.add(`separable_conv_1_${id}`, { ...convolution, strides, padding }, y);
    y = this.#relu(this.#normalized(`separable_conv_1_bn_${id}`, y));
    y = this.#list.add(`separable_conv_2_${id}`, { ...convolution, strides: 1, padding: "same" }, y);
    return this.#normalized(`separable_conv_2_bn_${id}`, y);
  }

  #averaged(name: string, x: string): string {
    const window = { poolSize: 3, strides: 1, padding: "same" } as const;
    return this.#list.add(name, { kind: "AveragePooling2D", ...window }, x);
  }

  #sum(name: string, ...inputs: string[]): string {
    return this.#list.add(name, { kind: "Add" }, ...inputs);
  }

  #normalized(name: string, x: string): string {
    return this.#list.add(
      name,
      { kind: "BatchNormalization", epsilon: 1e-3, momentum: 0.9997, scale: true },
      x,
    );
  }

  #relu(x: string): string {
    return this.#add("activation", { kind: "Activation", activation: "relu" }, x);
  }

  #add(kind: string, operation: LayerOperation, ...inputs: string[]): string {
    return this.#list.add(this.#names.next(kind), operation, ...inputs);
  }
}
