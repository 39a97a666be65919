import { extname, relative, sep } from "node:path";
import { DataError } from "../data-error.ts";
import type { Pair } from "./format.ts";

/** A pair before it has a name. */
export type NamelessPair = Omit<Pair, "name">;
/** A photo whose mask is made of shapes. */
export type AnnotatedPhoto = NamelessPair & Required<Pick<Pair, "annotation">>;

/**
 * Names photos by their paths below the folder that holds all of them, without the extension unless two differ in nothing
 * else, and sorts them by name.
 *
 * @throws DataError when two annotations are of the same photo
 */
export function namedPairs(photos: readonly NamelessPair[]): Pair[] {
  const byImage = new Map<string, NamelessPair>();
  for (const photo of photos) {
    const other = byImage.get(photo.image);
    if (other !== undefined) {
      throw new DataError(
        `${whereOf(other)} and ${whereOf(photo)} are of the same photo, ${photo.image}: keep one of them, in one ` +
          `part of the data.`,
      );
    }
    byImage.set(photo.image, photo);
  }
  const root = commonFolder([...byImage.keys()]);
  const paths = [...byImage.keys()].map((image) => relative(root, image).replaceAll(sep, "/").normalize());
  const bare = paths.map((path) => path.slice(0, path.length - extname(path).length));
  const times = new Map<string, number>();
  for (const name of bare) times.set(name, (times.get(name) ?? 0) + 1);
  return photos
    .map((photo, i) => ({ ...photo, name: times.get(bare[i]) === 1 ? bare[i] : paths[i] }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const whereOf = ({ annotation, mask }: NamelessPair): string => annotation?.where ?? mask;

function commonFolder(files: readonly string[]): string {
  const [first = [], ...others] = files.map((file) => file.split(sep).slice(0, -1));
  let depth = first.length;
  for (const steps of others) {
    let same = 0;
    while (same < depth && steps[same] === first[same]) same++;
    depth = same;
  }
  const folder = first.slice(0, depth).join(sep);
  return folder === "" && files[0]?.startsWith(sep) ? sep : folder;
}
