/**
 * @file Variables out of MAT-files of level 5, which MATLAB's `save` writes with `-v6` (plain) and `-v7` (each variable
 * compressed): "MAT-File Format", The MathWorks, chapter 1. Read are real numeric arrays, text, and cell arrays of
 * these; what else a file holds is passed over.
 */
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { inflate } from "node:zlib";
import { recognise } from "../files/recognise.ts";
import { DataError } from "./data-error.ts";
import { messageOf } from "../message-of.ts";
import {
  COMPRESSED,
  Elements,
  INT32,
  INT8,
  MATRIX,
  numbersOf,
  UINT16,
  UINT32,
  UINT8,
  UTF16,
  UTF8,
} from "./mat5-elements.ts";
import type { Element, Numbers } from "./mat5-elements.ts";

/** A variable; `dims` are rows, columns …, and arrays lie column by column. */
export type MatArray =
  | { readonly kind: "numbers"; readonly dims: readonly number[]; readonly values: Numbers }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "cells"; readonly dims: readonly number[]; readonly cells: readonly MatArray[] }
  /** What this reader has no use for, in words: "a structure". */
  | { readonly kind: "other"; readonly what: string };

/**
 * The variable `name` of a MAT-file.
 * @throws DataError when the file cannot be read, is truncated or damaged, is of another level (7.3 is HDF5), claims
 * sizes beyond reason, or has no such variable.
 */
export async function readMatVariable(file: string, name: string): Promise<MatArray> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_FILE) throw new Error(`it is larger than ${LARGEST_FILE / 2 ** 20} MiB`);
    const bytes = await readFile(file);
    if (isVersion73(bytes)) {
      throw new DataError(
        `${file} is a MAT-file of version 7.3 (HDF5), which is not read here: save it with -v7.`,
      );
    }
    const found = recognise(bytes);
    if (found !== undefined) throw new DataError(`${file} is ${found.what}: ${found.mend}.`);
    return await findVariable(bytes, name);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `${file} cannot be read as a MAT-file (${messageOf(error)}): replace it by a good one.`,
    );
  }
}

/** Bytes of a file, and of all that its compressed variables inflate to: a photo of 64 megapixels and one byte each. */
const LARGEST_FILE = 2 ** 26;
/** Cells of a cell array: each costs far more memory than the bytes that claim it. */
const MOST_CELLS = 2 ** 16;

const HEADER_BYTES = 128;
const HDF5_SIGNATURE = "\x89HDF\r\n\x1a\n";

async function findVariable(bytes: Buffer, name: string): Promise<MatArray> {
  const file = new Elements(bytes.subarray(HEADER_BYTES), isLittleEndian(bytes));
  const others: string[] = [];
  let budget = LARGEST_FILE;
  while (file.left > 0) {
    let element = file.next();
    if (element.type === COMPRESSED) {
      const inflated = await inflateAtMost(element.data, budget);
      budget -= inflated.length;
      element = new Elements(inflated, file.littleEndian).next();
    }
    if (element.type !== MATRIX) continue;
    const variable = new Matrix(element.data, file.littleEndian);
    if (variable.name === name) return variable.read();
    others.push(variable.name);
  }
  const held = others.length === 0 ? "nothing" : others.slice(0, 5).join(", ");
  throw new Error(`it holds ${held} and no variable called ${name}`);
}

function isVersion73(bytes: Buffer): boolean {
  const start = bytes.toString("latin1", 0, 10);
  return start === "MATLAB 7.3" || start.startsWith(HDF5_SIGNATURE);
}

/** The byte order the header tells; refuses what is no MAT-file of level 5. */
function isLittleEndian(bytes: Buffer): boolean {
  const mark = bytes.toString("latin1", 126, 128);
  if (bytes.length < HEADER_BYTES || (mark !== "IM" && mark !== "MI")) {
    throw new Error("it does not begin as a MAT-file of level 5 does");
  }
  const littleEndian = mark === "IM";
  const version = littleEndian ? bytes.readUInt16LE(124) : bytes.readUInt16BE(124);
  if (version !== 0x0100) throw new Error(`it is of version 0x${version.toString(16)}, not 0x100`);
  return littleEndian;
}

async function inflateAtMost(data: Buffer, most: number): Promise<Buffer> {
  try {
    return await promisify(inflate)(data, { maxOutputLength: Math.max(most, 1) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new Error(`it inflates to more than ${LARGEST_FILE / 2 ** 20} MiB`, { cause: error });
    }
    throw new Error(`its compressed data are damaged: ${messageOf(error)}`, { cause: error });
  }
}

const CELL = 1;
const CHAR = 4;
const FIRST_NUMERIC = 6;
const LAST_NUMERIC = 15;
const OPAQUE = 17;
const OTHER_CLASSES: Record<number, string> = {
  2: "a structure",
  3: "an object",
  5: "a sparse matrix",
  16: "a function",
  [OPAQUE]: "an object",
};
const COMPLEX = 0x800;

/** An array whose flags, dimensions and name have been read and whose content has not. */
class Matrix {
  readonly name: string;
  readonly #elements: Elements;
  readonly #flags: number;
  readonly #dims: readonly number[];

  constructor(data: Buffer, littleEndian: boolean) {
    this.#elements = new Elements(data, littleEndian);
    if (data.length === 0) {
      // An empty cell may be a tag and nothing more.
      [this.#flags, this.#dims, this.name] = [FIRST_NUMERIC, [0, 0], ""];
      return;
    }
    const flags = this.#numbers(this.#elements.expect("array flags", UINT32), UINT32);
    if (flags.length !== 2) throw new Error("its array flags are not two numbers");
    this.#flags = flags[0];
    this.#dims =
      this.#class === OPAQUE ? [] : [...this.#numbers(this.#elements.expect("dimensions", INT32), INT32)];
    this.name = this.#elements.expect("name's letters", INT8, UINT8, UTF8).toString("latin1");
  }

  read(): MatArray {
    if (this.#class === CELL) return this.#cells();
    if (this.#class === CHAR) return { kind: "text", text: this.#text() };
    if (this.#class < FIRST_NUMERIC || this.#class > LAST_NUMERIC) {
      return { kind: "other", what: OTHER_CLASSES[this.#class] ?? `of class ${this.#class}` };
    }
    if (this.#flags & COMPLEX) return { kind: "other", what: "complex" };
    const values = this.#elements.left === 0 ? new Uint8Array() : this.#decode(this.#elements.next());
    if (values.length !== this.#count()) {
      throw new Error(`${this.#label()} is ${this.#dims.join("×")} and has ${values.length} numbers`);
    }
    return { kind: "numbers", dims: this.#dims, values };
  }

  get #class(): number {
    return this.#flags & 0xff;
  }

  #cells(): MatArray {
    const count = this.#count();
    if (count > MOST_CELLS)
      throw new Error(`${this.#label()} claims ${count} cells, more than ${MOST_CELLS}`);
    const cells: MatArray[] = [];
    while (cells.length < count) {
      const cell = new Matrix(this.#elements.expect("cells", MATRIX), this.#elements.littleEndian);
      // Cells within cells are not looked into: they could be nested without end.
      cells.push(cell.#class === CELL ? { kind: "other", what: "a cell array" } : cell.read());
    }
    return { kind: "cells", dims: this.#dims, cells };
  }

  /** The text of one row; several rows come column by column, as they lie. */
  #text(): string {
    if (this.#elements.left === 0) return "";
    const { type, data } = this.#elements.next();
    if (type === UTF8) return data.toString("utf8");
    if (type === INT8 || type === UINT8) return data.toString("latin1");
    if (type !== UINT16 && type !== UTF16) throw new Error(`its letters are of type ${type}`);
    const units = Buffer.from(data.subarray(0, data.length & ~1));
    return (this.#elements.littleEndian ? units : units.swap16()).toString("utf16le");
  }

  #count(): number {
    const count = this.#dims.reduce((product, dim) => product * dim, 1);
    if (this.#dims.length < 2 || this.#dims.some((dim) => dim < 0) || count > LARGEST_FILE) {
      throw new Error(`${this.#label()} claims to be ${this.#dims.slice(0, 8).join("×")}`);
    }
    return count;
  }

  #label(): string {
    return this.name === "" ? "a cell" : this.name;
  }

  #decode(element: Element): Numbers {
    return numbersOf(element, this.#elements.littleEndian);
  }

  #numbers(data: Buffer, type: number): Numbers {
    return this.#decode({ type, data });
  }
}
