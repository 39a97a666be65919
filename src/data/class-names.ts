import { access } from "node:fs/promises";
import { join } from "node:path";
import { checkNames, readClassTable } from "../files/class-table.ts";
import type { NamedClass } from "../files/class-table.ts";
import { DataError } from "./data-error.ts";
import { readMatVariable } from "./mat5.ts";

/** The 59 classes of Clothing Co-Parsing (Yang, Luo and Lin, CVPR 2014); a mask's value is the index here. */
export const CLOTHING_CLASSES = [
  ...["null", "accessories", "bag", "belt", "blazer", "blouse", "bodysuit", "boots", "bra", "bracelet"],
  ...["cape", "cardigan", "clogs", "coat", "dress", "earrings", "flats", "glasses", "gloves", "hair"],
  ...["hat", "heels", "hoodie", "intimate", "jacket", "jeans", "jumper", "leggings", "loafers", "necklace"],
  ...["panties", "pants", "pumps", "purse", "ring", "romper", "sandals", "scarf", "shirt", "shoes"],
  ...["shorts", "skin", "skirt", "sneakers", "socks", "stockings", "suit", "sunglasses", "sweater"],
  ...["sweatshirt", "swimwear", "t-shirt", "tie", "tights", "top", "vest", "wallet", "watch", "wedges"],
] as const;

export type ClothingClass = (typeof CLOTHING_CLASSES)[number];

/** Number of classes, background (`null`, class 0) included. */
export const CLASS_COUNT = CLOTHING_CLASSES.length;

/**
 * Class names from `folder/labels.csv` (see `parseClassTable`) or else from `folder/label_list.mat` (a cell array of
 * names, as Clothing Co-Parsing has it). A class the file does not name, and every class when there is no such file, is
 * called `class N`.
 * @throws FileError as `readClassTable` does; DataError for a cell that is no text, a class out of range.
 */
export async function readClassNames(folder: string, classes: number = CLASS_COUNT): Promise<string[]> {
  const named =
    (await ifThere(join(folder, "labels.csv"), readClassTable)) ??
    (await ifThere(join(folder, "label_list.mat"), readCells));
  const names = new Map<number, string>();
  for (const { where, label, name } of named ?? []) {
    if (label >= classes) {
      throw new DataError(
        `${where}, names class ${label}: name each of the classes 0 to ${classes - 1} once at most.`,
      );
    }
    names.set(label, name);
  }
  return Array.from({ length: classes }, (_, label) => names.get(label) ?? `class ${label}`);
}

/** What `read` makes of a file, or undefined when there is no such file. */
async function ifThere<T>(file: string, read: (file: string) => Promise<T>): Promise<T | undefined> {
  const exists = await access(file).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== "ENOENT",
  );
  return exists ? read(file) : undefined;
}

/** The classes that a cell array `label_list` names by position. */
async function readCells(file: string): Promise<NamedClass[]> {
  const list = await readMatVariable(file, "label_list");
  if (list.kind !== "cells") {
    throw new DataError(`${file} has no cell array in label_list: put one there, with a name in each cell.`);
  }
  const named = list.cells.map((cell, label) => {
    const where = `${file}, cell ${label + 1}`;
    if (cell.kind !== "text" || cell.text.trim() === "") {
      throw new DataError(`${where}, has no name in it: write one.`);
    }
    return { where, label, name: cell.text.trim() };
  });
  checkNames(named);
  return named;
}
