import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CLOTHING_CLASSES } from "../../src/data/class-names.ts";
import { readDeclared } from "../../src/data/classes/read-declared.ts";
import { Place } from "../../src/data/formats/place.ts";
import { DataError } from "../../src/data/data-error.ts";
import { decodeMask } from "../../src/data/mask.ts";
import { readMatVariable } from "../../src/data/mat5.ts";
import { folderOf } from "./folder.ts";
import { cells, element, groundtruth, matFile, numbers, NUMBER_STORAGES, text } from "./mat-file.ts";
import type { Encode } from "./mat-file.ts";

const file = async (bytes: Uint8Array): Promise<string> => join(await folderOf({ "a.mat": bytes }), "a.mat");

async function sentence(bytes: Uint8Array, name = "groundtruth"): Promise<string> {
  const path = await file(bytes);
  const error: unknown = await readMatVariable(path, name).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(DataError);
  const { message } = error as DataError;
  expect(message).toContain(path);
  expect(message).toMatch(/^[^\n]*\.$/);
  return message;
}

test("any kind of number, in either byte order, plain or compressed", async () => {
  const shapes = fc.record({
    dims: fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 5 })),
    storage: fc.constantFrom(...NUMBER_STORAGES),
    littleEndian: fc.boolean(),
    compressed: fc.boolean(),
    name: fc.constantFrom("g", "four", "groundtruth"),
    seed: fc.nat({ max: 100 }),
  });
  await fc.assert(
    fc.asyncProperty(shapes, async ({ dims, storage, littleEndian, compressed, name, seed }) => {
      const sign = storage.startsWith("u") ? 1 : -1;
      const values = Array.from(
        { length: dims[0] * dims[1] },
        (_, i) => (i % 2 ? sign : 1) * ((i * seed) % 127),
      );
      const variables = [text("before", "x"), numbers(name, dims, values, storage)];
      const read = await readMatVariable(await file(matFile(variables, { littleEndian, compressed })), name);
      expect(read).toMatchObject({ kind: "numbers", dims });
      expect(read.kind === "numbers" && [...read.values].map((value) => value + 0)).toEqual(
        values.map((value) => value + 0),
      );
    }),
    { numRuns: 60 },
  );
});

test("cell arrays of text in every encoding, and empty cells", async () => {
  for (const littleEndian of [true, false]) {
    const content = [
      text("", "null", "uint16"),
      text("", "T-shirt ä", "utf16"),
      text("", "jumper ö", "utf8"),
      text("", "é", "uint8"),
      text("", "hat", "utf8"),
      text("", ""),
      numbers("", [1, 1], [7], "double"),
      ((le) => element(14, Buffer.alloc(0), le, false)) satisfies Encode,
      cells("", [text("", "deep")]),
    ];
    const read = await readMatVariable(await file(matFile([cells("c", content)], { littleEndian })), "c");
    expect(read).toMatchObject({ kind: "cells", dims: [1, 9] });
    const kept = read.kind === "cells" ? read.cells : [];
    expect(kept.slice(0, 6).map((cell) => cell.kind === "text" && cell.text)).toEqual([
      ...["null", "T-shirt ä", "jumper ö", "é", "hat", ""],
    ]);
    expect(kept[6]).toMatchObject({ kind: "numbers", values: Float64Array.of(7) });
    expect(kept[7]).toMatchObject({ kind: "numbers", dims: [0, 0] });
    expect(kept[8]).toEqual({ kind: "other", what: "a cell array" });
  }
});

test("what is no real array of numbers is told apart", async () => {
  const complex = numbers("z", [1, 1], [1], "double", 6 | 0x800);
  const structure = numbers("s", [1, 1], [1], "double", 2);
  const bytes = await file(matFile([complex, structure]));
  expect(await readMatVariable(bytes, "z")).toEqual({ kind: "other", what: "complex" });
  expect(await readMatVariable(bytes, "s")).toEqual({ kind: "other", what: "a structure" });
});

test("every fault is a sentence", async () => {
  const mask = groundtruth([
    [0, 1],
    [2, 3],
  ]);
  const good = matFile([mask]);
  const plain = matFile([mask], { compressed: false });
  const changed = (bytes: Buffer, at: number, ...values: number[]): Buffer => {
    const copy = Buffer.from(bytes);
    copy.set(values, at);
    return copy;
  };
  expect(await sentence(Buffer.alloc(0))).toContain("does not begin as a MAT-file");
  expect(await sentence(Buffer.from("no MAT-file at all, only words".repeat(9)))).toContain("does not begin");
  expect(await sentence(changed(good, 0, ...Buffer.from("MATLAB 7.3 MAT-file")))).toMatch(
    /is a MAT-file of version 7\.3 \(HDF5\), which is not read here: save it with -v7\.$/,
  );
  expect(await sentence(Buffer.from("\x89HDF\r\n\x1a\n....", "latin1"))).toContain("version 7.3");
  expect(await sentence(changed(good, 124, 0, 2))).toContain("it is of version 0x200, not 0x100");
  expect(await sentence(good.subarray(0, good.length - 5))).toContain("it is truncated");
  expect(await sentence(plain.subarray(0, plain.length - 9))).toContain("it is truncated");
  expect(await sentence(changed(good, good.length - 1, 0xaa))).toContain("its compressed data are damaged");
  expect(await sentence(good, "other")).toContain("it holds groundtruth and no variable called other");
  expect(await sentence(matFile([]))).toContain("it holds nothing and no variable called groundtruth");
  expect(await sentence(matFile([numbers("groundtruth", [2, 3], [1, 2, 3, 4])]))).toContain(
    "groundtruth is 2×3 and has 4 numbers",
  );
  expect(await sentence(matFile([numbers("groundtruth", [2], [1, 2])]))).toContain("claims to be 2");
});

test("hostile sizes are refused before memory is taken", async () => {
  const huge = numbers("groundtruth", [0x7fffffff, 0x7fffffff], [1, 2]);
  expect(await sentence(matFile([huge]))).toContain("claims to be 2147483647×2147483647");
  expect(await sentence(matFile([numbers("groundtruth", [-2, -2], [1, 2, 3, 4])]))).toContain("-2×-2");
  expect(await sentence(matFile([cells("groundtruth", [], [1, 10_000_000])]))).toContain("10000000 cells");
  expect(await sentence(matFile([cells("groundtruth", [], [1, 1000])]))).toContain("truncated");
  const bomb = element(15, deflateSync(Buffer.alloc(2 ** 25)), true, false);
  const before = process.memoryUsage.rss();
  const bombs = Buffer.concat([matFile([]), ...Array.from({ length: 200 }, () => bomb)]);
  expect(await sentence(bombs)).toContain("inflates to more than 64 MiB");
  expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 28);
});

test("a file with any bytes changed is read or refused in a sentence, never anything else", async () => {
  const variables = [
    cells("label_list", [
      text("", "null"),
      text("", "coat", "utf8"),
      numbers("", [2, 2], [1, 2, 3, 4], "double"),
    ]),
    groundtruth([
      [0, 1, 58],
      [2, 3, 4],
    ]),
  ];
  const files = [true, false].flatMap((littleEndian) =>
    [true, false].map((compressed) => matFile(variables, { littleEndian, compressed })),
  );
  const folder = await folderOf({ "a.mat": "" });
  const path = join(folder, "a.mat");
  const change = fc.record({
    at: fc.nat(),
    value: fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
  });
  const cases = fc.tuple(
    fc.constantFrom(...files),
    fc.array(change, { minLength: 1, maxLength: 4 }),
    fc.nat({ max: 400 }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([bytes, changes, cut]) => {
      const mutated = Buffer.from(cut > 300 ? bytes.subarray(0, bytes.length - (cut - 300)) : bytes);
      for (const { at, value } of changes) mutated[at % mutated.length] = value;
      await writeFile(path, mutated);
      for (const name of ["groundtruth", "label_list"]) {
        const error: unknown = await readMatVariable(path, name).then(
          () => undefined,
          (e: unknown) => e,
        );
        if (error === undefined) continue;
        expect(error).toBeInstanceOf(DataError);
        expect((error as DataError).message).toMatch(/^[^\n]*a\.mat[^\n]*\.$/);
      }
    }),
    { numRuns: 400 },
  );
});

test("a .mat mask's rows are its matrix's rows, and its numbers its classes", async () => {
  const rows = [
    [0, 1, 2],
    [10, 11, 58],
  ];
  for (const storage of NUMBER_STORAGES) {
    const mask = await decodeMask(await file(matFile([groundtruth(rows, storage)])));
    expect(mask).toEqual({ width: 3, height: 2, labels: Uint8Array.from(rows.flat()) });
  }
  const refuse = async (value: number): Promise<void> => {
    const bytes = matFile([
      groundtruth(
        [
          [0, 1],
          [2, 3],
          [value, 5],
        ],
        "double",
      ),
    ]);
    await expect(decodeMask(await file(bytes))).rejects.toThrow(
      `a.mat has class ${value} at pixel (0, 2), counted from the top left: use the classes 0 to 255 only`,
    );
  };
  for (const value of [256, -1, 1.5, NaN, Infinity]) await refuse(value);
  for (const variable of [
    text("groundtruth", "x"),
    numbers("groundtruth", [0, 0], []),
    numbers("groundtruth", [1, 1, 2], [1, 2]),
  ]) {
    await expect(decodeMask(await file(matFile([variable])))).rejects.toThrow(
      /a\.mat has no matrix of class numbers in groundtruth: put one there\.$/,
    );
  }
});

test("class names come from label_list.mat, unless there is a labels.csv", async () => {
  const list = (...names: Encode[]): Buffer => matFile([cells("label_list", names)]);
  const named = async (files: Record<string, Buffer | string>): Promise<string[] | undefined> =>
    (await readDeclared((await Place.at(await folderOf(files)))!))?.classes.map(({ name }) => name);
  const labels = list(...CLOTHING_CLASSES.map((name) => text("", name)));
  expect(await named({ "label_list.mat": labels })).toEqual([...CLOTHING_CLASSES]);
  const two = list(text("", "sky"), text("", "sea"));
  expect(await named({ "label_list.mat": two, "labels.csv": "0,null" })).toEqual(["null"]);
  const odd = list(text("", "sky"), numbers("", [1, 1], [3]));
  await expect(named({ "label_list.mat": odd })).rejects.toThrow(
    /label_list\.mat, cell 2, has no name in it: write one\.$/,
  );
  const none = matFile([numbers("label_list", [1, 1], [3])]);
  await expect(named({ "label_list.mat": none })).rejects.toThrow("has no cell array");
});
