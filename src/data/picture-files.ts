/** What sharp decodes and cameras, phones and the web deal in, for sentences. */
export const PICTURE_KINDS = "JPEG, PNG, WebP, AVIF, TIFF or GIF";

/** Matches the files of pictures whose name begins with `prefix`; group 1 is what follows it, without the extension. */
export const pictureFile = (prefix = ""): RegExp =>
  new RegExp(`^${prefix}(.+)\\.(?:jpe?g|png|webp|avif|tiff?|gif)$`, "i");
