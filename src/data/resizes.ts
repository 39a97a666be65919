export const RESIZES = ["stretch", "letterbox", "short-side"] as const;
/**
 * `stretch`: without regard to a photo's proportions. `letterbox`: all of the photo in its proportions, as large as fits, in the middle
 * of grey that does not count (Ultralytics' `LetterBox`). `short-side`: in its proportions and as small as covers the image,
 * what reaches beyond is cut off alike on both sides (torchvision's `Resize` and `CenterCrop`).
 */
export type Resize = (typeof RESIZES)[number];

/** The same for people, each continuing "RGB / 255, bilinear resize to image_size". */
export const RESIZE_TEXTS: Readonly<Record<Resize, string>> = {
  stretch: "",
  letterbox: " in the photo's proportions, the rest 114 / 255",
  "short-side": " in the photo's proportions, its middle",
};
