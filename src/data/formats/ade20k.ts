import { readForeignText } from "../annotations/foreign.ts";
import { DataError } from "../data-error.ts";
import { ADE20K_CLASSES } from "./ade20k-classes.ts";
import { pairFiles } from "./file-pairs.ts";
import type { Format } from "./format.ts";
import type { Place } from "./place.ts";

const PHOTOS = "images";
const MASKS = "annotations";
/** Names of the classes, in tables whose columns are told by a header. */
const TABLE = "objectInfo150.txt";

/**
 * `images/training/ADE_train_N.jpg` and `annotations/training/ADE_train_N.png`, and the same of `validation`: ADE20K as the scene
 * parsing challenge of 2016 has it (Zhou et al., CVPR 2017). A mask's 1 to 150 are the classes, and 0 does not count.
 */
export const ade20k: Format = {
  name: "ade20k",
  title: "ADE20K",
  description: "images/training/ and annotations/training/ (the scene parsing challenge)",
  recognise: async (place) => {
    for (const part of ["training", "validation"]) {
      const masks = await place.entries(`${MASKS}/${part}`);
      if (masks === undefined || (await place.has(`${PHOTOS}/${part}`)) !== "folder") continue;
      if ((await place.has(TABLE)) === "file" || masks.some(({ name }) => /^ADE_.+\.png$/.test(name)))
        return true;
    }
    return false;
  },
  read: async (place, say) => {
    const pairs = await pairFiles(
      place,
      {
        photos: {
          noun: "photo",
          folder: PHOTOS,
          kinds: "JPEG",
          file: /^(.+)\.jpe?g$/i,
          fileOf: (name) => `${name}.jpg`,
        },
        masks: {
          noun: "mask",
          folder: MASKS,
          kinds: "PNG",
          file: /^(.+)\.png$/i,
          fileOf: (name) => `${name}.png`,
        },
      },
      say,
    );
    const { where, names } = await namesOf(place);
    const classes = names.map((name, i) => ({ key: i + 1, name }));
    return { pairs, declared: { where, keys: "values", classes, compact: true, ignored: [0] } };
  },
};

async function namesOf(place: Place): Promise<{ where: string; names: readonly string[] }> {
  if ((await place.has(TABLE)) !== "file") return { where: "ADE20K", names: ADE20K_CLASSES };
  const file = place.file(TABLE);
  return { where: file, names: shortened(await readTable(file)) };
}

/** The names of a table by their numbers, from 1 on. */
async function readTable(file: string): Promise<string[]> {
  const [header = "", ...lines] = (await readForeignText(file)).split(/\r\n?|\n/);
  const columns = header.split("\t").map((column) => column.trim().toLowerCase());
  const [number, name] = [columns.indexOf("idx"), columns.indexOf("name")];
  if (number < 0 || name < 0) {
    throw new DataError(
      `${file} does not begin with columns Idx and Name, apart by tabs: take it from the data set anew.`,
    );
  }
  const names: string[] = [];
  lines.forEach((line, i) => {
    if (line.trim() === "") return;
    const cells = line.split("\t").map((cell) => cell.trim());
    const label = Number(cells[number]);
    if (label !== names.length + 1 || !cells[name]) {
      throw new DataError(
        `${file}, line ${i + 2}, does not name class ${names.length + 1}: take the file from the data set anew.`,
      );
    }
    names.push(cells[name]);
  });
  return names;
}

/** The first of each class's names, where no other class has it. */
function shortened(names: readonly string[]): string[] {
  const first = names.map((name) => name.split(/[,;]/)[0].trim());
  return names.map((name, i) => (first.filter((other) => other === first[i]).length === 1 ? first[i] : name));
}
