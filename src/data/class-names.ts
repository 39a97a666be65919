import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError, messageOf } from "./data-error.ts";

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
 * Class names from `folder/labels.csv` (lines `label,name`, a header allowed). A class the file does not name,
 * and every class when there is no such file, is called `class N`.
 * @throws DataError for a line that is not `label,name`, a label out of range or given twice.
 */
export async function readClassNames(folder: string, classes: number = CLASS_COUNT): Promise<string[]> {
  const file = join(folder, "labels.csv");
  const names = Array.from({ length: classes }, (_, label) => `class ${label}`);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return names;
    throw new DataError(`${file} cannot be read (${messageOf(error)}): make it readable or remove it.`);
  }
  const seen = new Set<number>();
  for (const [row, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === "" || (row === 0 && /^\s*label\s*,/i.test(line))) continue;
    const [, digits, quoted, plain] = /^\s*(\d+)\s*,\s*(?:"([^"]+)"|([^",]+?))\s*$/.exec(line) ?? [];
    const name = quoted ?? plain;
    if (digits === undefined || name === undefined) {
      throw new DataError(
        `${file}, line ${row + 1}, is ${JSON.stringify(line)}: write a class number, a comma and a name.`,
      );
    }
    const label = Number(digits);
    if (label >= classes || seen.has(label)) {
      const fault = seen.has(label) ? `names class ${label} again` : `names class ${digits}`;
      throw new DataError(
        `${file}, line ${row + 1}, ${fault}: name each of the classes 0 to ${classes - 1} once at most.`,
      );
    }
    seen.add(label);
    names[label] = name;
  }
  return names;
}
