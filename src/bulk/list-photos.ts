import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
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
import { Stems } from "./stems.ts";

/** `https://host/…` */
const URL_OF_WEB = /^https?:\/\//i;

/**
 * The photos of some lines of a list, in their order.
 *
 * @throws BulkError when the list is not what it was when it was divided, or a line cannot be read; FileError.
 */
export async function* listPhotos(range: ListRange, signal?: AbortSignal): AsyncGenerator<Found> {
  const { path, root } = range;
  const stems = new Stems();
  let number = range.line;
  for (const text of await linesOf(range, signal)) {
    const line = parseLine(text, `Line ${number} of ${path}`);
    if (line.kind === "passed-over") yield line;
    else if (line.kind === "photo") yield { kind: "photo", photo: photoAt(line.place, root, number, stems) };
    number += 1;
  }
}

function photoAt(place: string, root: string, line: number, stems: Stems): BulkPhoto {
  const path =
    URL_OF_WEB.test(root) && !URL_OF_WEB.test(place) ? new URL(encodeKey(place), root).href : place;
  if (URL_OF_WEB.test(path)) throw new BulkError("URLs are not read yet.");
  const relative = path.replace(/^\.\//, "");
  const slashed = sep === "/" ? relative : relative.replaceAll(sep, "/");
  const file = isAbsolute(path) ? path : resolve(root, path);
  return {
    photo: relative,
    line,
    stem: stems.of(slashed),
    read: (signal) =>
      readFile(file, { signal }).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw new DataError(
          `The photo ${printable(relative, 1000)} cannot be read (${messageOf(error)}): make it a readable file.`,
        );
      }),
  };
}

const encodeKey = (key: string): string => key.split("/").map(encodeURIComponent).join("/");

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
