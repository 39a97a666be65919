import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "./data-error.ts";
import { messageOf } from "../message-of.ts";
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
 * Class names from `folder/labels.csv` (lines `number,name`; the first may be a header of any two words) or else from
 * `folder/label_list.mat` (a cell array of names, as Clothing Co-Parsing has it). A class the file does not name,
 * and every class when there is no such file, is called `class N`.
 * @throws DataError for a line that is not `number,name`, a cell that is no text, a class out of range or given twice.
 */
export async function readClassNames(folder: string, classes: number = CLASS_COUNT): Promise<string[]> {
  const named =
    (await fromTable(join(folder, "labels.csv"))) ?? (await fromCells(join(folder, "label_list.mat")));
  const names = new Map<number, string>();
  for (const { where, label, name } of named ?? []) {
    if (label >= classes || names.has(label)) {
      const fault = names.has(label) ? `names class ${label} again` : `names class ${label}`;
      throw new DataError(`${where}, ${fault}: name each of the classes 0 to ${classes - 1} once at most.`);
    }
    names.set(label, name);
  }
  return Array.from({ length: classes }, (_, label) => names.get(label) ?? `class ${label}`);
}

interface NamedClass {
  /** File and line, or file and cell. */
  where: string;
  label: number;
  name: string;
}

/** The classes a table names, or undefined when there is no such file. */
async function fromTable(file: string): Promise<NamedClass[] | undefined> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new DataError(`${file} cannot be read (${messageOf(error)}): make it readable or remove it.`);
  });
  const lines = text?.replace(/^\uFEFF/, "").split(/\r?\n/);
  return lines?.flatMap((line, row) => {
    const isHeader = row === 0 && /^\s*("[^"]*"|[^\d",][^",]*)?\s*,[^,]*$/.test(line);
    if (line.trim() === "" || isHeader) return [];
    const where = `${file}, line ${row + 1}`;
    const [, digits, quoted, plain] = /^\s*(\d+)\s*,\s*(?:"([^"]+)"|([^",]+?))\s*$/.exec(line) ?? [];
    const name = quoted ?? plain;
    if (digits === undefined || name === undefined) {
      throw new DataError(`${where}, is ${JSON.stringify(line)}: write a class number, a comma and a name.`);
    }
    return { where, label: Number(digits), name };
  });
}

/** The classes a cell array `label_list` names by position, or undefined when there is no such file. */
async function fromCells(file: string): Promise<NamedClass[] | undefined> {
  const exists = await access(file).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== "ENOENT",
  );
  if (!exists) return undefined;
  const list = await readMatVariable(file, "label_list");
  if (list.kind !== "cells") {
    throw new DataError(`${file} has no cell array in label_list: put one there, with a name in each cell.`);
  }
  return list.cells.map((cell, label) => {
    const where = `${file}, cell ${label + 1}`;
    if (cell.kind !== "text" || cell.text.trim() === "") {
      throw new DataError(`${where}, has no name in it: write one.`);
    }
    return { where, label, name: cell.text };
  });
}
