import { stat } from "node:fs/promises";
import { ConfigError } from "../config/index.ts";
import { readForeignText } from "../data/annotations/foreign.ts";
import { printable } from "../files/printable.ts";

/**
 * The weight of each class from a file.
 *
 * @throws ConfigError when there is no such file, or as {@link parseClassWeights} does; DataError when it cannot be read.
 */
export async function readClassWeights(file: string, classNames: readonly string[]): Promise<Float32Array> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) {
    throw new ConfigError(
      `--class-weights ${file} is ${found ? "no file" : "none of the kinds, and there is no such file"}: give none, balanced, sqrt, ` +
        `enet or a file of lines such as ${quoted(classNames[0])},1.`,
    );
  }
  return parseClassWeights(await readForeignText(file), file, classNames);
}

/**
 * Lines `class,weight`, where the class is its name or its number (a name that is a number is the name); a semicolon or a tab may
 * stand for the comma, and the first line may be a header. Empty lines are passed over.
 *
 * @param file what the text is called in messages.
 * @throws ConfigError naming the line that is none of these, or whose class is unknown or weighed already, or whose weight is no
 *   number from 0 up; or the first class that has none; or when all weights are 0.
 */
export function parseClassWeights(
  text: string,
  file: string,
  classNames: readonly string[],
): Float32Array<ArrayBuffer> {
  const weights = new Map<number, number>();
  text.split(/\r\n?|\n/).forEach((line, i) => {
    if (line.trim() === "") return;
    const where = `${file}, line ${i + 1}`;
    const [, left, right] = /^(.*)[,;\t](.*)$/.exec(line) ?? [];
    if (right === undefined) {
      throw new ConfigError(
        `${where}, is "${printable(line, 60)}": write the name or number of a class, a comma and its weight.`,
      );
    }
    const name = unquoted(left.trim());
    const label = labelOf(name, classNames);
    const said = unquoted(right.trim());
    const weight = said === "" ? NaN : Number(said);
    if (i === 0 && label === undefined && Number.isNaN(weight)) return;
    if (label === undefined) {
      throw new ConfigError(
        `${where}, weighs "${printable(name, 60)}", which is no class: the classes are ${classList(classNames)}.`,
      );
    }
    // In single precision too: a GPU takes nothing else.
    if (!(weight >= 0 && Number.isFinite(Math.fround(weight)))) {
      throw new ConfigError(
        `${where}, gives "${printable(classNames[label], 60)}" the weight "${printable(said, 30)}": write a number from 0 up.`,
      );
    }
    if (weights.has(label)) {
      throw new ConfigError(
        `${where}, weighs "${printable(classNames[label], 60)}" again: weigh each class once.`,
      );
    }
    weights.set(label, weight);
  });
  const missing = classNames.findIndex((_, label) => !weights.has(label));
  if (missing >= 0) {
    const others = classNames.length - weights.size - 1;
    const more = others === 0 ? "" : ` and ${others === 1 ? "one other" : `${others} others`}`;
    throw new ConfigError(
      `${file} has no weight for class ${missing}, "${printable(classNames[missing], 60)}"${more}: give each class a line.`,
    );
  }
  if ([...weights.values()].every((weight) => weight === 0))
    throw new ConfigError(`${file} gives every class the weight 0, so that nothing would be learned.`);
  return Float32Array.from(classNames, (_, label) => weights.get(label)!);
}

function labelOf(name: string, classNames: readonly string[]): number | undefined {
  const named = classNames.indexOf(name);
  if (named >= 0) return named;
  const number = /^\d{1,9}$/.test(name) ? Number(name) : NaN;
  return number < classNames.length ? number : undefined;
}

/** A field without the quotes around it, of which two stand for one (RFC 4180). */
function unquoted(field: string): string {
  const [, inner] = /^"((?:[^"]|"")*)"$/.exec(field) ?? [];
  return inner === undefined ? field : inner.replaceAll('""', '"').trim();
}

const quoted = (name: string): string => (/[,;\t"]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

/** The first classes, and how many there are besides. */
function classList(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name, label) => `${label} ${printable(name, 30)}`);
  const rest = names.length - shown.length;
  return `${shown.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
