import { classNamesOf } from "../weights/class-names.ts";
import { loadWeights, type LoadedWeights } from "../weights/load.ts";
import { readClassTable } from "../files/class-table.ts";
import { printable } from "../files/printable.ts";
import { formatShape, type Metadata } from "../weights/tensors.ts";
import { WeightsError } from "../weights/weights-error.ts";
import { writeModel, type WriteModelOptions } from "../weights/write.ts";

export interface ConvertOptions extends Pick<
  WriteModelOptions,
  "force" | "embed" | "foldBatchNorm" | "imageSize" | "signal"
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
 * @throws {FileError} where the model cannot be read, does not fit or cannot be written; the signal's reason when
 *   it is aborted before the model is there
 */
export async function convertModel(
  from: string,
  to: string,
  { classes, verbose = false, ...options }: ConvertOptions,
  say: (line: string) => void,
): Promise<void> {
  const model = await loadWeights(from, options);
  for (const line of describe(model, from, verbose)) say(line);
  const metadata = classes === undefined ? checked(model, from) : await named(model, classes);
  await writeModel(to, { tensors: model.tensors, metadata }, { ...options, source: from });
  say(`Written: ${to}`);
}

function describe(
  { format, tensors, encoder, mapping, missing, unused }: LoadedWeights,
  from: string,
  verbose: boolean,
): string[] {
  const classes = tensors.get("head/bias")?.shape[0];
  const title = encoder?.title ?? "an encoder";
  const what = classes === undefined ? title : `a U-Net of ${classes} classes on ${title}`;
  const counts = ["kept", "renamed", "transposed", "folded"]
    .map((change) => [mapping.filter((weight) => weight.change === change).length, change] as const)
    .filter(([count]) => count > 0)
    .map(([count, change]) => `${count} ${change}`);
  const lines = [
    `${from} (${format}): ${mapping.length === 0 ? "nothing of this network" : `${what}, ${counts.join(", ")}`}`,
  ];
  if (verbose) {
    for (const weight of mapping) {
      lines.push(`  ${printable(weight.from)} → ${weight.to} ${formatShape(weight.shape)} ${weight.change}`);
    }
  }
  if (missing.length > 0 && mapping.length > 0) lines.push(`Missing: ${list(missing, verbose)}`);
  if (unused.length > 0) lines.push(`Not used: ${list(unused, verbose)}`);
  return lines;
}

function list(names: readonly string[], all: boolean): string {
  const shown = (all ? names : names.slice(0, NAMED)).map((name) => printable(name));
  const more = names.length - shown.length;
  return `${names.length} ${names.length === 1 ? "weight" : "weights"} (${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""})`;
}

/** The metadata, whose names of classes, where it has them, must be the network's. */
function checked({ tensors, metadata }: LoadedWeights, source: string): Metadata {
  const classes = tensors.get("head/bias")?.shape[0];
  if (classes !== undefined) classNamesOf(metadata, classes, source);
  return metadata;
}

/** The metadata with the names of the classes from a file. */
async function named({ tensors, metadata }: LoadedWeights, file: string): Promise<Metadata> {
  const named = await readClassTable(file);
  const classes = tensors.get("head/bias")?.shape[0];
  if (classes === undefined) {
    throw new WeightsError(`An encoder has no classes that ${file} could name: leave out --classes.`);
  }
  const beyond = named.find(({ label }) => label >= classes);
  if (beyond !== undefined) {
    throw new WeightsError(
      `${beyond.where}, names class ${beyond.label} and the network has ${classes}, 0 to ${classes - 1}: name just these.`,
    );
  }
  const names = new Map(named.map(({ label, name }) => [label, name]));
  const all = Array.from({ length: classes }, (_, label) => names.get(label));
  const unnamed = all.indexOf(undefined);
  if (unnamed >= 0) {
    throw new WeightsError(
      `${file} names ${names.size} classes and the network has ${classes}, class ${unnamed} for one: name each of them.`,
    );
  }
  return { ...metadata, classes: JSON.stringify(all) };
}
