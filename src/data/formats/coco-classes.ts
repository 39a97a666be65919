import type { CocoSet } from "../annotations/coco.ts";
import type { DeclaredClasses } from "../classes/declared.ts";
import { DataError } from "../data-error.ts";

type SetOfFile = { readonly file: string; readonly set: CocoSet };

/**
 * The classes of one or more files of COCO, in the order of the categories' ids. A category that is but the heading of others
 * (Roboflow writes one) and that nothing is labelled with is left out, and said.
 *
 * @throws DataError when the files differ in their categories
 */
export function cocoClasses(sets: readonly SetOfFile[], say: (sentence: string) => void): DeclaredClasses {
  const [first, ...others] = sets;
  const { categories } = first.set;
  for (const other of others) {
    const theirs = new Map(other.set.categories.map(({ id, name }) => [id, name]));
    const ours = new Map(categories.map(({ id, name }) => [id, name]));
    for (const id of [...ours.keys(), ...theirs.keys()]) {
      if (ours.get(id) === theirs.get(id)) continue;
      const say = (name: string | undefined): string => (name === undefined ? "none" : JSON.stringify(name));
      throw new DataError(
        `${first.file} and ${other.file} differ in category ${id}: ${say(ours.get(id))} and ${say(theirs.get(id))}. Export them ` +
          "from one project, or give one of the files.",
      );
    }
  }
  const used = new Set(
    sets.flatMap(({ set }) => set.photos.flatMap(({ shapes }) => shapes.map(({ label }) => label))),
  );
  const left = categories
    .filter(
      ({ name, supercategory }) =>
        isNone(supercategory) && categories.some((below) => below.supercategory === name),
    )
    .flatMap(({ name }) => (used.has(name) ? [] : [name]));
  const classes = [...new Set(categories.map(({ name }) => name))].filter((name) => !left.includes(name));
  if (left.length > 0) {
    say(
      `Nothing is labelled with ${left.map((name) => JSON.stringify(name)).join(", ")}, which only heads other categories: left out.`,
    );
  }
  return { where: first.file, keys: "labels", classes: classes.map((name) => ({ key: name, name })) };
}

const isNone = (supercategory: string | null | undefined): boolean =>
  supercategory == null || supercategory === "" || supercategory === "none";
