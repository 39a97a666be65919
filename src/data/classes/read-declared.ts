import { checkNames, parseClassTable, readClassTable } from "../../files/class-table.ts";
import type { NamedClass } from "../../files/class-table.ts";
import { readForeignText } from "../annotations/foreign.ts";
import { DataError } from "../data-error.ts";
import type { Place } from "../formats/place.ts";
import { readMatVariable } from "../mat5.ts";
import type { DeclaredClass, DeclaredClasses } from "./declared.ts";

/** Files that name the classes of a folder's masks; the first that is there counts. */
const READERS: readonly (readonly [file: string, read: (file: string) => Promise<DeclaredClasses>])[] = [
  ["labels.csv", async (file) => numbered(file, await readClassTable(file))],
  ["label_list.mat", async (file) => numbered(file, await readCells(file))],
  ["class_dict.csv", readColours],
  ["label_colors.txt", readColours],
  ["classes.txt", readNames],
  ["class_names.txt", readNames],
  ["labels.txt", readNames],
];

/**
 * What a folder tells of its classes: `labels.csv` (see `parseClassTable`), `label_list.mat` (a cell array of names, as
 * Clothing Co-Parsing has it), `class_dict.csv` (`name,r,g,b`) or `label_colors.txt` (`r g b name`) for masks in colour, or
 * `classes.txt`, `class_names.txt`, `labels.txt` (a name a line). Null where there is none.
 *
 * @throws FileError or DataError naming the line that cannot be used
 */
export async function readDeclared(place: Place): Promise<DeclaredClasses | null> {
  for (const [name, read] of READERS) {
    if ((await place.has(name)) === "file") return read(place.file(name));
  }
  return null;
}

const numbered = (where: string, named: readonly NamedClass[]): DeclaredClasses => ({
  where,
  keys: "values",
  classes: named.map(({ label, name }) => ({ key: label, name })),
});

/** LabelMe's own lists begin with a class of this name, whose number is −1 and in masks 255. */
const UNCOUNTED = "__ignore__";

/** A name a line. */
async function readNames(file: string): Promise<DeclaredClasses> {
  const text = (await readForeignText(file))
    .split(/\r\n?|\n/)
    .filter((line) => line.trim() !== UNCOUNTED)
    .join("\n");
  return numbered(file, parseClassTable(text, file));
}

/** A name and red, green and blue a line, in either order; a header is passed over. */
async function readColours(file: string): Promise<DeclaredClasses> {
  const lines = (await readForeignText(file)).split(/\r\n?|\n/);
  const classes = lines.flatMap((line, i): DeclaredClass[] => {
    if (line.trim() === "" || (i === 0 && !/\d/.test(line))) return [];
    const [, front, name1, name2, back] =
      /^\s*(?:((?:\d{1,3}[\s,;]+){3})(.+?)|(.+?)[\s,;]+((?:\d{1,3}[\s,;]*){3}))\s*$/.exec(line) ?? [];
    const colour = (front ?? back)?.match(/\d+/g)?.map(Number);
    const name = (name1 ?? name2)?.trim();
    if (!colour || !name || colour.some((level) => level > 255)) {
      throw new DataError(
        `${file}, line ${i + 1}, is ${JSON.stringify(line.slice(0, 60))}: write a class's name and its red, green and blue, 0 to 255.`,
      );
    }
    return [{ key: (colour[0] << 16) | (colour[1] << 8) | colour[2], name }];
  });
  checkNames(classes.map(({ name }, label) => ({ where: file, label, name })));
  const twice = classes.find(({ key }, i) => classes.findIndex((other) => other.key === key) < i);
  if (twice !== undefined) {
    throw new DataError(
      `${file} gives ${JSON.stringify(twice.name)} the colour of another class: give each its own.`,
    );
  }
  return { where: file, keys: "colours", classes };
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
