import { createHash } from "node:crypto";

/** What a file system, or a reader of archives, might take for something else than a letter of a name. */
const ODD = /[\p{Cc}\p{Zl}\p{Zp}\u{202A}-\u{202E}\u{2066}-\u{2069}<>:"|?*\\]/gu;
/** Bytes of a part of a stem: with the longest ending a name has 255 at most, as file systems have it. */
const LONGEST_PART = 200;
/** A folder of such a name could be where an output goes. */
const LIKE_AN_OUTPUT = /\.(png|json|geojson|safetensors)$/i;
const EXTENSION = /(?<=.)\.[^.]*$/;

/**
 * Names the outputs of photos: a photo's path without its ending and without what leads out of a folder (`..`, a leading `/`), so that it
 * can stand in any folder. The second of two that would be called the same, upper and lower case being one, gets `~2`, the
 * third `~3`: the same names for the same photos in the same order.
 */
export class Stems {
  /** A manifest lies beside the outputs. */
  readonly #taken = new Set(["manifest"]);
  readonly #dots: boolean;

  /** @param options.dots whether a name may have dots: of an archive they would end the key (WebDataset) */
  constructor({ dots = true }: { readonly dots?: boolean } = {}) {
    this.#dots = dots;
  }

  /** @param path parts with `/` in between */
  of(path: string): string {
    const parts = path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
    const last = parts.pop()?.replace(EXTENSION, "") ?? "";
    const folders = parts.map((part) => clean(part.replace(LIKE_AN_OUTPUT, "$&_")));
    const name = clean(last === "" ? "photo" : last);
    const stem = [...folders, this.#dots ? name : name.replaceAll(".", "_")].join("/");
    for (let copy = 1; ; copy++) {
      const own = copy === 1 ? stem : `${stem}~${copy}`;
      const key = own.normalize().toLowerCase();
      if (this.#taken.has(key)) continue;
      this.#taken.add(key);
      return own;
    }
  }
}

/** A hidden file's name would hide the outputs too, and ours begin with a dot while they are written. */
function clean(part: string): string {
  const name = part.replace(ODD, "_").replace(/^\./, "_");
  if (Buffer.byteLength(name) <= LONGEST_PART) return name;
  const digest = createHash("sha256").update(part).digest("hex").slice(0, 12);
  let start = name.slice(0, LONGEST_PART - digest.length - 1);
  while (Buffer.byteLength(start) > LONGEST_PART - digest.length - 1)
    start = [...start].slice(0, -1).join("");
  return `${start}~${digest}`;
}
