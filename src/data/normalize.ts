/**
 * What a photo's values in [0, 1] become before they enter the network; after augmentation. `unit` leaves them as they are. The
 * others are the modes of `keras.applications`' `preprocess_input`: `imagenet` (mode "torch") makes `(x − mean) / std` of them; `caffe` BGR
 * in 0…255 less the mean of each channel; `tf` −1…1; `bytes` 0…255, for a network whose first layers do the rest.
 */
export const NORMALIZATIONS = ["unit", "imagenet", "caffe", "tf", "bytes"] as const;

export type Normalization = (typeof NORMALIZATIONS)[number];

/** The same for people, each continuing "RGB / 255, bilinear". */
export const NORMALIZATION_TEXTS: Readonly<Record<Normalization, string>> = {
  unit: "",
  imagenet: ", less ImageNet's mean, over its standard deviation",
  caffe: ", then BGR times 255, less ImageNet's mean",
  tf: ", then scaled to -1...1",
  bytes: ", then times 255",
};

const f32 = Math.fround;
type Channels = readonly [number, number, number];

/** `(x · factor − mean) / deviation` of each channel of the result; `bgr` where its first is blue. */
interface Scaling {
  readonly bgr?: true;
  readonly factor: number;
  readonly mean: Channels;
  readonly deviation: Channels;
}

const [ZEROS, ONES]: Channels[] = [
  [0, 0, 0],
  [1, 1, 1],
];
const SCALINGS: Readonly<Record<Exclude<Normalization, "unit">, Scaling>> = {
  imagenet: { factor: 1, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] },
  caffe: { bgr: true, factor: 255, mean: [103.939, 116.779, 123.68], deviation: ONES },
  tf: { factor: 2, mean: ONES, deviation: ONES },
  bytes: { factor: 255, mean: ZEROS, deviation: ONES },
};

/**
 * A photo as {@link Normalization} says, in float32.
 *
 * @param image `[…, 3]`, RGB in [0, 1]: one photo or a batch.
 * @param out where the result goes, possibly `image` itself. Without it the result is a new array, or `image` where
 * nothing changes.
 */
export function normalize<Image extends Float32Array>(
  image: Image,
  normalization: Normalization,
  out?: Float32Array<ArrayBuffer>,
): Image | Float32Array<ArrayBuffer> {
  if (normalization === "unit") {
    if (out === undefined) return image;
    out.set(image);
    return out;
  }
  const result = out ?? new Float32Array(image.length);
  const { bgr, factor, mean, deviation } = SCALINGS[normalization];
  const [first, last] = bgr ? [2, 0] : [0, 2];
  const [mean0, mean1, mean2] = mean.map(f32);
  const [deviation0, deviation1, deviation2] = deviation.map(f32);
  for (let i = 0; i < image.length; i += 3) {
    const [a, b, c] = [image[i + first], image[i + 1], image[i + last]];
    result[i] = f32(f32(a * factor) - mean0) / deviation0;
    result[i + 1] = f32(f32(b * factor) - mean1) / deviation1;
    result[i + 2] = f32(f32(c * factor) - mean2) / deviation2;
  }
  return result;
}
