import { PICTURE_KINDS, pictureFile } from "../data/picture-files.ts";
import { printable } from "../files/printable.ts";
import { BulkError } from "./bulk-error.ts";

/** What a line of a list says. */
export type Line =
  | { readonly kind: "photo"; /** Its path or URL. */ readonly place: string }
  /** Neither a blank line nor a comment, and no photo: another file of a bucket. */
  | { readonly kind: "passed-over" }
  | { readonly kind: "nothing" };

/** `2026-01-31 12:00:00      48123 street/a.jpg`, as `aws s3 ls --recursive` says it. */
const LISTED = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+ (.+)$/;
const PHOTO = pictureFile();

/** Whether a line, from `start` to before `end`, is blank or begins with `#`. */
export function saysNothing(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === 0x23) return true;
  for (let i = start; i < end; i++)
    if (bytes[i] !== 0x20 && bytes[i] !== 0x09 && bytes[i] !== 0x0d) return false;
  return true;
}

/**
 * Reads a line: a path or a URL as it is; of a listing of a bucket (`aws s3 ls --recursive`, or an object with a `Key` a line) the
 * key, where it ends as a photo does.
 *
 * @param where the line stands, for sentences
 * @throws BulkError when it begins as JSON does and is none with a `Key`, or is a URL that is not read here.
 */
export function parseLine(text: string, where: string): Line {
  const line = text.endsWith("\r") ? text.slice(0, -1) : text;
  if (line.startsWith("#") || /^[ \t\r]*$/.test(line)) return { kind: "nothing" };
  const key = line.startsWith("{") ? keyOf(line, where) : LISTED.exec(line)?.[1];
  if (key !== undefined) {
    const name = key.slice(key.lastIndexOf("/") + 1);
    return PHOTO.test(name) ? { kind: "photo", place: key } : { kind: "passed-over" };
  }
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(line)?.[1].toLowerCase();
  if (scheme === undefined || scheme === "http" || scheme === "https") return { kind: "photo", place: line };
  throw new BulkError(
    `${where} is a URL of ${printable(scheme)}, which is not read here: give http(s) URLs, signed ones for a private bucket, or keys ` +
      "of the bucket with --root, the folder where it is mounted or its https URL.",
  );
}

function keyOf(line: string, where: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const key = (value as { Key?: unknown } | undefined)?.Key;
  if (typeof key === "string" && key !== "") return key;
  throw new BulkError(
    `${where} begins as JSON and has no "Key": give an object of a bucket's listing a line (${PICTURE_KINDS} are labelled), or ` +
      "write a path that begins with { as ./{.",
  );
}
