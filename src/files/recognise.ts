/**
 * @file What a file is by its first bytes. Readers ask when a file is not what they want, so that what a failed download, a
 * git checkout without its large files or another framework leaves behind is called by its name.
 */
import { FileError } from "./file-error.ts";
import { readFully, withFile } from "./transfer.ts";

/** The formats that some reader here takes; a reader lets its own pass. */
export type ReadableFormat = "hdf5" | "zip" | "safetensors" | "picture";

/** What a file is, and what to do about it where it is not wanted: parts of a sentence, `it is ${what}: ${mend}.` */
export interface Recognised {
  readonly what: string;
  readonly mend: string;
  readonly format?: ReadableFormat;
}

/** As many bytes from the start of a file as {@link recognise} looks at. */
const START_BYTES = 512;

/** The start of a file in the ways in which it is looked at. */
interface Start {
  readonly bytes: Uint8Array;
  /** The same, a character a byte. */
  readonly text: string;
  /** The name of the first file of a zip archive, else empty. */
  readonly entry: string;
}

type Kind = Recognised & { readonly is: (start: Start) => boolean };

const begins =
  (...signature: number[]) =>
  ({ bytes }: Start): boolean =>
    signature.every((byte, i) => bytes[i] === byte);
const says =
  (pattern: RegExp, from = 0) =>
  ({ text }: Start): boolean =>
    pattern.test(text.slice(from));

const UNPACK = "unpack it and give the file in it";
const OTHER = "give the file that was meant";
const EXPORT = "save the Keras model it was made from with model.save, as .keras or .h5";
const PYTORCH = {
  what: "a PyTorch pickle",
  mend: `save its weights as safetensors, in Python, and give that file:
  import torch, safetensors.torch
  safetensors.torch.save_file(torch.load("model.pth", map_location="cpu", weights_only=True), "model.safetensors")
(of torchvision's networks densenet121, densenet169 and densenet201 are known here)`,
};

/** In the order in which they are tried. */
const KINDS: readonly Kind[] = [
  // The length of its header, below 16 MiB, and its JSON. First, since such a length can be any other's signature.
  { is: says(/^...\0{5}\{\s*["}]/s), what: "a safetensors file", mend: OTHER, format: "safetensors" },
  {
    is: says(/^version https:\/\/git-lfs\.github\.com\/spec\//),
    what: "a git-lfs pointer, not the file itself",
    mend: "run `git lfs pull` in its repository",
  },
  {
    is: says(
      /^(\xEF\xBB\xBF)?\s*(<\?xml[^>]*>\s*<Error>|(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b)/is,
    ),
    what: "a web page, as a failed download leaves it",
    mend: "download the file itself",
  },
  { is: begins(0x1f, 0x8b), what: "compressed with gzip", mend: UNPACK },
  { is: begins(0x28, 0xb5, 0x2f, 0xfd), what: "compressed with Zstandard", mend: UNPACK },
  { is: begins(0xfd, 0x37, 0x7a, 0x58, 0x5a), what: "compressed with xz", mend: UNPACK },
  { is: says(/^BZh[1-9]1AY&SY/), what: "compressed with bzip2", mend: UNPACK },
  { is: begins(0x37, 0x7a, 0xbc, 0xaf), what: "a 7z archive", mend: UNPACK },
  { is: begins(0x52, 0x61, 0x72, 0x21), what: "a RAR archive", mend: UNPACK },
  { is: says(/^ustar/, 257), what: "a tar archive", mend: UNPACK },
  { is: ({ entry }) => /(\.pkl|\/version|\/byteorder|\/\.\w+)$|\/code\//.test(entry), ...PYTORCH },
  // Of protocols 2 to 5. PyTorch wrote these as they are until 2020, archives of them since.
  { is: ({ bytes }) => bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5, ...PYTORCH },
  {
    is: ({ entry, text }) => entry.endsWith(".npy") || text.startsWith("\x93NUMPY"),
    what: "a NumPy file",
    mend: "save what is in it in another format",
  },
  { is: says(/^TFL3/, 4), what: "a TensorFlow Lite model", mend: EXPORT },
  // There is no signature: the first field is the format's version, the second who wrote it, or the graph.
  {
    is: ({ bytes }) => bytes[0] === 0x08 && bytes[1] < 32 && (bytes[2] === 0x12 || bytes[2] === 0x3a),
    what: "an ONNX model, which is written here and not read",
    mend: EXPORT,
  },
  {
    is: says(/^ftyp(hei[cmsx]|hevc|(mif1|msf1).*hei[cx])/s, 4),
    what: "a HEIC picture",
    mend: "save it as JPEG",
  },
  {
    is: says(/^BM.{12}[\f(48@l|]\0\0\0/s),
    what: "a BMP picture",
    mend: "save it as PNG",
  },
  { is: says(/^%PDF-/), what: "a PDF document", mend: OTHER },
  { is: begins(0x89, 0x50, 0x4e, 0x47), what: "a PNG picture", mend: OTHER, format: "picture" },
  { is: begins(0xff, 0xd8, 0xff), what: "a JPEG picture", mend: OTHER, format: "picture" },
  {
    is: says(/^(GIF8|RIFF....WEBP|II\*\0|MM\0\*|....ftypavi[fs])/s),
    what: "a picture",
    mend: OTHER,
    format: "picture",
  },
  {
    is: begins(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
    what: "an HDF5 file",
    mend: OTHER,
    format: "hdf5",
  },
  { is: begins(0x50, 0x4b, 3, 4), what: "a zip archive", mend: OTHER, format: "zip" },
];

/**
 * @param start of the file: its first 512 bytes, or all of a shorter one
 * @returns undefined where the bytes say nothing
 */
export function recognise(start: Uint8Array): Recognised | undefined {
  const bytes = start.subarray(0, START_BYTES);
  const text = String.fromCharCode(...bytes);
  const isZip = text.startsWith("PK\x03\x04");
  const entry = isZip ? text.slice(30, 30 + bytes[26] + 256 * bytes[27]) : "";
  return KINDS.find(({ is }) => is({ bytes, text, entry }));
}

/**
 * {@link recognise} by a file's path.
 *
 * @throws {FileError} where the file cannot be read or is no regular file
 */
export function recogniseFile(path: string): Promise<Recognised | undefined> {
  return withFile(path, async (file, size) => {
    const start = new Uint8Array(Math.min(START_BYTES, size));
    await readFully(file, path, start, 0);
    return recognise(start);
  });
}

/** The refusal of a file that is something else than its reader wants. */
export function refusalOf(path: string, { what, mend }: Recognised): FileError {
  return new FileError(`Cannot read ${path}: it is ${what}; ${mend}.`);
}
