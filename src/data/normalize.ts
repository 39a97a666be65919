/** What a photo's values in [0, 1] become before they enter the network; after augmentation. */
export const NORMALIZATIONS = ["unit", "imagenet"] as const;

export type Normalization = (typeof NORMALIZATIONS)[number];

const f32 = Math.fround;

/** Of ImageNet's photos: red, green, blue. */
const MEAN = [0.485, 0.456, 0.406].map(f32);
const STD = [0.229, 0.224, 0.225].map(f32);

/**
 * "unit" leaves the values as they are; "imagenet" makes `(x − mean) / std` of them, channel by channel in float32:
 * `keras.applications.densenet.preprocess_input` (mode "torch") after its division by 255.
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
  const [red, green, blue] = MEAN;
  const [ofRed, ofGreen, ofBlue] = STD;
  for (let i = 0; i < image.length; i += 3) {
    result[i] = f32(image[i] - red) / ofRed;
    result[i + 1] = f32(image[i + 1] - green) / ofGreen;
    result[i + 2] = f32(image[i + 2] - blue) / ofBlue;
  }
  return result;
}
