import { readFile } from "node:fs/promises";
import { loadWeights, type LoadedWeights } from "../weights/load.ts";
import { formatShape, type Metadata } from "../weights/tensors.ts";
import { WeightsError, messageOf } from "../weights/weights-error.ts";
import { writeModel, type WriteModelOptions } from "../weights/write.ts";

export interface ConvertOptions extends Pick<
  WriteModelOptions,
  "force" | "embed" | "foldBatchNorm" | "imageSize"
> {
  /** A file that names the classes. */
  readonly classes?: string;
  /** Tell what became of every weight. */
  readonly verbose?: boolean;
}

/** Weights named when not all are. */
const NAMED = 3;

/**
 * Reads a model of any format and writes it in the one that the name of `to` asks for.
 *
 * @param say gets what is worth telling, a line at a time
 * @throws {WeightsError} where the model cannot be read, does not fit or cannot be written
 */
export async function convertModel(
  from: string,
  to: string,
  { classes, verbose = false, ...options }: ConvertOptions,
  say: (line: string) => void,
): Promise<void> {
  const model = await loadWeights(from);
  for (const line of describe(model, from, verbose)) say(line);
  const metadata = classes === undefined ? model.metadata : await named(model, classes);
  await writeModel(to, { tensors: model.tensors, metadata }, { ...options, source: from });
  say(`Written: ${to}`);
}

function describe(
  { format, tensors, mapping, missing, unused }: LoadedWeights,
  from: string,
  verbose: boolean,
): string[] {
  const classes = tensors.get("head/bias")?.shape[0];
  const what = classes === undefined ? "an encoder" : `a U-Net of ${classes} classes`;
  const counts = ["kept", "renamed", "transposed", "folded"]
    .map((change) => [mapping.filter((weight) => weight.change === change).length, change] as const)
    .filter(([count]) => count > 0)
    .map(([count, change]) => `${count} ${change}`);
  const lines = [
    `${from} (${format}): ${mapping.length === 0 ? "nothing of this network" : `${what}, ${counts.join(", ")}`}`,
  ];
  if (verbose) {
    for (const weight of mapping) {
      lines.push(`  ${weight.from} → ${weight.to} ${formatShape(weight.shape)} ${weight.change}`);
    }
  }
  if (missing.length > 0 && mapping.length > 0) lines.push(`Missing: ${list(missing, verbose)}`);
  if (unused.length > 0) lines.push(`Not used: ${list(unused, verbose)}`);
  return lines;
}

function list(names: readonly string[], all: boolean): string {
  const shown = (all ? names : names.slice(0, NAMED)).map((name) =>
    name.length <= 200 ? name : `${name.slice(0, 197)}...`,
  );
  const more = names.length - shown.length;
  return `${names.length} ${names.length === 1 ? "weight" : "weights"} (${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""})`;
}

/** The metadata with the names of the classes from a file. */
async function named({ tensors, metadata }: LoadedWeights, file: string): Promise<Metadata> {
  const names = parseClassNames(await readText(file), file);
  const classes = tensors.get("head/bias")?.shape[0];
  if (classes === undefined) {
    throw new WeightsError(`An encoder has no classes that ${file} could name: leave out --classes.`);
  }
  if (names.length !== classes) {
    throw new WeightsError(
      `${file} names ${names.length} classes and the network has ${classes}: name each of them.`,
    );
  }
  return { ...metadata, classes: JSON.stringify(names) };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new WeightsError(`Cannot read the class names in ${file} (${messageOf(error)}): check the path.`);
  }
}

/**
 * Names of classes: a JSON array, lines `number,name` in the order of the numbers 0, 1, 2 …, as a data set's `labels.csv`
 * has them (its header is passed over), or a name a line.
 *
 * @throws {WeightsError} where the array holds other than names, or the numbers are not in order
 */
export function parseClassNames(text: string, file: string): string[] {
  if (text.trimStart().startsWith("[")) {
    const names = parsedOrNull(text);
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
    throw new WeightsError(`${file} is not a JSON array of names: write ["null", "hat"], for example.`);
  }
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const numbered = lines.map((line) => /^(\d+)\s*,\s*"?(.+?)"?$/.exec(line));
  const rows = numbered[0] === null ? numbered.slice(1) : numbered;
  if (rows.length === 0 || rows.some((row) => row === null)) return lines;
  return rows.map((row, i) => {
    if (Number(row![1]) === i) return row![2];
    throw new WeightsError(`${file} names class ${row![1]} where class ${i} should be: name them in order.`);
  });
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
