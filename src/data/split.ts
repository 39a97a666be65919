import { mersenne } from "pure-rand/generator/mersenne";
import { count, DataError } from "./data-error.ts";
import type { Part } from "./formats/format.ts";

/** Indices of the training and test samples, in the order scikit-learn gives them. */
export interface Split {
  /** Indices of the training samples. */
  train: number[];
  /** Indices of the test samples. */
  test: number[];
}

/**
 * scikit-learn's `train_test_split(range(n), test_size=testSize, random_state=seed)`, index for index: a numpy
 * `RandomState(seed).permutation(n)` whose first ceil(n · testSize) entries are the test set.
 * @param options.testSize fraction between 0 and 1.
 * @param options.seed integer from 0 to 2³² − 1.
 * @throws DataError when either part would be empty.
 */
export function trainTestSplit(n: number, options: { testSize?: number; seed: number }): Split {
  const { testSize = 0.2, seed } = options;
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new DataError(`The seed ${seed} cannot be used: give a whole number from 0 to 4294967295.`);
  }
  if (!(testSize > 0 && testSize < 1)) {
    throw new DataError(`The test fraction ${testSize} cannot be used: give one between 0 and 1.`);
  }
  const tests = Math.ceil(testSize * n);
  if (!(n - tests > 0 && tests > 0)) {
    throw new DataError(`${n} photos cannot be split into a training and a test set: give at least two.`);
  }
  const order = permutation(n, seed);
  return { train: order.slice(tests), test: order.slice(0, tests) };
}

/** The photos of a data set that has parts of its own. */
export interface OwnSplit extends Split {
  /** The part that `test` is, here for validation. */
  readonly validatesOn: "val" | "test";
  /** Photos of a test part that stay out of a run, for there is a part for validation. */
  readonly keptOut: number;
}

/**
 * The split that a data set comes with: its training part, and for validation its part `val` or, where there is none, `test`.
 * Photos of no part are trained on. Null where nothing is there to validate on, so that the split is left to chance.
 * @param parts of each photo.
 * @throws DataError when nothing is left to train on.
 */
export function splitByParts(parts: readonly (Part | undefined)[]): OwnSplit | null {
  const indices = (wanted: (part: Part | undefined) => boolean): number[] =>
    parts.flatMap((part, index) => (wanted(part) ? [index] : []));
  const [val, test] = [indices((part) => part === "val"), indices((part) => part === "test")];
  if (val.length === 0 && test.length === 0) return null;
  const train = indices((part) => part === "train" || part === undefined);
  if (train.length === 0) {
    throw new DataError(
      `All ${parts.length} photos are in the data's own part for ${val.length > 0 ? "validation" : "tests"}, and none is left to ` +
        `train on: give the folder that holds the training part too.`,
    );
  }
  return val.length > 0
    ? { train, test: val, validatesOn: "val", keptOut: test.length }
    : { train, test, validatesOn: "test", keptOut: 0 };
}

/** What a split by parts is, for the user. */
export const describeParts = ({ train, test, validatesOn, keptOut }: OwnSplit): string =>
  `The data's own split is used: ${count(train.length, "photo")} to train on, ${test.length} of its part ` +
  `"${validatesOn}" to validate on${keptOut > 0 ? `; ${keptOut} of its part "test" stay out` : ""}.`;

/** `numpy.random.RandomState(seed).permutation(n)`. */
function permutation(n: number, seed: number): number[] {
  const generator = mersenne(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    // numpy's legacy random_interval: draw under the smallest all-ones mask until the value is in range.
    const mask = 2 ** (32 - Math.clz32(i)) - 1;
    let j: number;
    do j = (generator.next() & mask) >>> 0;
    while (j > i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
