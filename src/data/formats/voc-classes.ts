import { checkNames, parseClassTable } from "../../files/class-table.ts";
import { readForeignText } from "../annotations/foreign.ts";
import type { DeclaredClass, DeclaredClasses } from "../classes/declared.ts";
import { DataError } from "../data-error.ts";
import type { Place } from "./place.ts";

/** The classes of Pascal VOC; a mask's value is the index here. */
const VOC_CLASSES = [
  ...["background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"],
  ...[
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
  ],
];

/** Of pixels that do not count: borders between objects, and what is hard to tell. */
const VOID = 255;
/** Its colour in VOC's palette. */
const VOID_COLOUR = 0xe0e0c0;
const COLOURS = "labelmap.txt";
/** Files of names, a line a class, as labelme2voc takes and writes them. */
const NAMES = ["class_names.txt", "labels.txt", "classes.txt"];
/** LabelMe's class −1, the first of its list; 255 in masks. */
const UNCOUNTED = "__ignore__";

/**
 * The classes of a data set in the format of Pascal VOC: those of `labelmap.txt` (CVAT, Datumaro: `name:r,g,b:parts:actions`), by
 * the colours that masks show; those of a list of names, by number; or the 21 of Pascal VOC itself.
 *
 * @param root of the data set, below the place
 * @throws DataError or FileError naming the line that cannot be used
 */
export async function readVocClasses(place: Place, root: string): Promise<DeclaredClasses> {
  const path = (name: string): string => (root === "" ? name : `${root}/${name}`);
  if ((await place.has(path(COLOURS))) === "file") return readLabelMap(place.file(path(COLOURS)));
  for (const name of NAMES) {
    if ((await place.has(path(name))) === "file") return readNames(place.file(path(name)));
  }
  return { where: "Pascal VOC", keys: "values", classes: numbered(VOC_CLASSES), ignored: [VOID] };
}

const numbered = (names: readonly string[]): DeclaredClass[] => names.map((name, key) => ({ key, name }));

async function readNames(file: string): Promise<DeclaredClasses> {
  const text = (await readForeignText(file))
    .split(/\r\n?|\n/)
    .filter((line) => line.trim() !== UNCOUNTED)
    .join("\n");
  const classes = parseClassTable(text, file).map(({ label, name }) => ({ key: label, name }));
  return { where: file, keys: "values", classes, ignored: [VOID] };
}

async function readLabelMap(file: string): Promise<DeclaredClasses> {
  const lines = (await readForeignText(file)).split(/\r\n?|\n/);
  const entries = lines.flatMap((line, i) => {
    const where = `${file}, line ${i + 1}`;
    if (line.trim() === "" || line.trimStart().startsWith("#")) return [];
    const [, name, colour] = /^\s*(.*?)\s*:\s*((?:\d{1,3}\s*,\s*){2}\d{1,3}|)\s*(?::.*)?$/.exec(line) ?? [];
    const levels = colour === "" ? null : colour?.split(",").map(Number);
    if (!name || levels === undefined || levels?.some((level) => level > 255)) {
      throw new DataError(
        `${where}, is ${JSON.stringify(line.slice(0, 60))}: write name:red,green,blue:: with levels from 0 to 255.`,
      );
    }
    return [{ where, name, levels }];
  });
  checkNames(entries.map(({ where, name }, label) => ({ where, label, name })));
  // Without colours, masks have those of VOC's own palette.
  const bare = entries.filter(({ levels }) => levels === null);
  if (bare.length > 0 && bare.length < entries.length) {
    throw new DataError(
      `${bare[0].where}, gives ${JSON.stringify(bare[0].name)} no colour, and other lines give one: write it as name:red,green,blue::.`,
    );
  }
  const coloured = entries.map(({ where, name, levels }, i) => ({
    where,
    name,
    key: levels === null ? paletteColour(i) : (levels[0] << 16) | (levels[1] << 8) | levels[2],
  }));
  const byColour = new Map<number, string>();
  for (const { where, name, key } of coloured) {
    const other = byColour.get(key);
    if (other !== undefined) {
      throw new DataError(
        `${where}, gives ${JSON.stringify(name)} the colour of ${JSON.stringify(other)}: give each its own.`,
      );
    }
    byColour.set(key, name);
  }
  const isVoid = ({ name, key }: { name: string; key: number }): boolean =>
    key === VOID_COLOUR && name.toLowerCase() === "ignored";
  const classes = coloured.filter((entry) => !isVoid(entry)).map(({ name, key }) => ({ name, key }));
  const ignored = classes.some(({ key }) => key === VOID_COLOUR) ? [] : [VOID_COLOUR];
  return { where: file, keys: "colours", classes, ignored };
}

/** The colour of a class in VOC's palette: its bits dealt to red, green and blue in turn, the lowest to the highest levels. */
function paletteColour(index: number): number {
  let colour = 0;
  for (let bit = 0; bit < 8; bit++) {
    for (let channel = 0; channel < 3; channel++) {
      const set = (index >> (3 * bit + channel)) & 1;
      colour |= (set << (7 - bit)) << (8 * (2 - channel));
    }
  }
  return colour;
}
