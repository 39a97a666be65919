import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { isAbsolute, resolve, sep } from "node:path";
import { DataError } from "../data/data-error.ts";
import { printable } from "../files/printable.ts";
import { fileError } from "../files/transfer.ts";
import { messageOf } from "../message-of.ts";
import { BulkError } from "./bulk-error.ts";
import { markOf } from "./divide-list.ts";
import { parseLine } from "./list-lines.ts";
import type { BulkPhoto, Found } from "./bulk-photo.ts";
import type { ListRange } from "./shard.ts";
import type { Stems } from "./stems.ts";
import type { WebPhotos } from "./fetch-photo.ts";
import { passingError } from "./passing-error.ts";
import { isWebUrl, pathOfUrl, shownUrl } from "./web-url.ts";

export interface ListOptions {
  /** Names the outputs. */
  readonly stems: Stems;
  /** Fetches what is a URL. */
  readonly web: WebPhotos;
}

/**
 * The photos of some lines of a list, in their order.
 *
 * @throws BulkError when the list is not what it was when it was divided, or a line cannot be read; FileError.
 */
export async function* listPhotos(
  range: ListRange,
  { stems, web }: ListOptions,
  signal?: AbortSignal,
): AsyncGenerator<Found> {
  const { path, root } = range;
  let number = range.line;
  for (const text of await linesOf(range, signal)) {
    const line = parseLine(text, `Line ${number} of ${path}`);
    if (line.kind === "passed-over") yield line;
    else if (line.kind === "photo")
      yield { kind: "photo", photo: photoAt(line.place, root, number, { stems, web }) };
    number += 1;
  }
}

function photoAt(place: string, root: string, line: number, { stems, web }: ListOptions): BulkPhoto {
  const path = isWebUrl(root) && !isWebUrl(place) ? `${root.replace(/\/*$/, "/")}${encodeKey(place)}` : place;
  if (isWebUrl(path)) return photoOfWeb(path, line, { stems, web });
  const relative = path.replace(/^\.\//, "");
  const file = isAbsolute(path) ? path : resolve(root, path);
  return {
    photo: relative,
    line,
    stem: stems.of(sep === "/" ? relative : relative.replaceAll(sep, "/")),
    read: (signal) =>
      readRegular(file, signal).catch((error: NodeJS.ErrnoException) => {
        signal?.throwIfAborted();
        const failure = OF_THE_PHOTO.has(error.code ?? "")
          ? (text: string) => new DataError(text)
          : passingError;
        throw failure(
          `The photo ${printable(relative, 1000)} cannot be read (${reasonOf(error)}): make it a readable file.`,
        );
      }),
  };
}

const NO_FILE = "no file";
/** What is wrong with a photo's file itself, where other failures are of a disk or of the network, and may pass. */
const OF_THE_PHOTO = new Set([
  ...["ENOENT", "ENOTDIR", "EISDIR", "EACCES", "EPERM", "ENAMETOOLONG", "ELOOP"],
  ...["ERR_FS_FILE_TOO_LARGE", "ERR_INVALID_ARG_VALUE", NO_FILE],
]);

/** Reading a pipe would wait for its writer. */
async function readRegular(file: string, signal: AbortSignal | undefined): Promise<Buffer> {
  if (!(await stat(file)).isFile()) throw Object.assign(new Error("not a file"), { code: NO_FILE });
  return readFile(file, { signal });
}

/** Without the path, which is another one where the photos are mounted elsewhere. */
const reasonOf = (error: NodeJS.ErrnoException): string =>
  error.code === undefined ? messageOf(error) : messageOf(error).split(",")[0];

function photoOfWeb(url: string, line: number, { stems, web }: ListOptions): BulkPhoto {
  const shown = shownUrl(url);
  if (shown === null) {
    const problem = new DataError(
      `Line ${line} of the list is no URL, though it begins as one: write it as browsers do.`,
    );
    return {
      photo: `line ${line}`,
      line,
      stem: stems.of(`line-${line}.jpg`),
      read: () => Promise.reject(problem),
    };
  }
  return { photo: shown, line, stem: stems.of(pathOfUrl(url)), read: (signal) => web.fetch(url, signal) };
}

const encodeKey = (key: string): string =>
  key
    .replace(/^\.?\/+/, "")
    .split("/")
    .map(encodeURIComponent)
    .join("/");

/** The lines of a range, which must have the bytes it had. */
async function linesOf({ path, from, to, sha256, line }: ListRange, signal?: AbortSignal): Promise<string[]> {
  if (to === from) return [];
  const chunks: Buffer[] = [];
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { start: from, end: to - 1, signal })) {
      chunks.push(chunk as Buffer);
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(error, "read", path);
  }
  if (hash.digest("hex") !== sha256) {
    throw new BulkError(
      `The list ${path} has changed from line ${line} on since it was divided: put back the list of then, or begin anew with another --out.`,
    );
  }
  const bytes = Buffer.concat(chunks);
  return bytes.toString("utf8", from === 0 ? markOf(bytes) : 0).split("\n");
}
