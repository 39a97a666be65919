import { BulkError } from "./bulk-error.ts";

/** More archives than anybody has: what a slip of a digit comes to. */
const MOST = 10_000_000;
const BRACES = /\{([^{}]*)\}/;
const RANGE = /^(\d+)\.\.(\d+)$/;

/**
 * The paths of a pattern, as shells and WebDataset have it: `photos-{0000..0099}.tar` is a hundred, `{train,val}.tar` two. A range
 * keeps its leading zeros.
 *
 * @throws BulkError when a brace holds neither a range nor names, or there are too many.
 */
export function* expandBraces(pattern: string): Generator<string> {
  if (countOf(pattern) > MOST)
    throw new BulkError(`${pattern} is more than ${MOST} archives: see that its ranges are right.`);
  yield* expand(pattern);
}

function* expand(pattern: string): Generator<string> {
  const match = BRACES.exec(pattern);
  if (match === null) {
    yield pattern;
    return;
  }
  const [all, inside] = match;
  const before = pattern.slice(0, match.index);
  const after = pattern.slice(match.index + all.length);
  for (const name of namesIn(inside, pattern))
    for (const rest of expand(after)) yield `${before}${name}${rest}`;
}

function* namesIn(inside: string, pattern: string): Generator<string> {
  const range = rangeOf(inside);
  if (range === null && !inside.includes(",")) {
    throw new BulkError(
      `{${inside}} in ${pattern} is neither a range, such as {0000..0099}, nor names with commas.`,
    );
  }
  if (range === null) {
    yield* inside.split(",");
    return;
  }
  const { first, last, digits } = range;
  const step = first <= last ? 1 : -1;
  for (let number = first; number !== last + step; number += step) yield String(number).padStart(digits, "0");
}

function rangeOf(inside: string): { first: number; last: number; digits: number } | null {
  const [, from, to] = RANGE.exec(inside) ?? [];
  if (from === undefined) return null;
  const isPadded = [from, to].some((text) => text.length > 1 && text.startsWith("0"));
  return { first: Number(from), last: Number(to), digits: isPadded ? Math.max(from.length, to.length) : 0 };
}

function countOf(pattern: string): number {
  const braces = pattern.match(new RegExp(BRACES, "g")) ?? [];
  return braces.reduce((product, brace) => {
    const range = rangeOf(brace.slice(1, -1));
    return product * (range === null ? brace.split(",").length : Math.abs(range.last - range.first) + 1);
  }, 1);
}
