/// <reference lib="esnext.disposable" preserve="true" />
import type { Gpu } from "../gpu/gpu.ts";
import { compile } from "./compile.ts";
import type { CompileOptions } from "./compile.ts";
import type { Graph } from "./graph.ts";
import type { NamedTypes } from "./plan.ts";
import type { Feeds, InputTypes, Program, Results } from "./program.ts";
import { sameShape, shapeText, sizeOf } from "./shape.ts";
import type { Shape } from "./shape.ts";
import { Variables } from "./variables.ts";

/** What {@link BatchPrograms} are compiled with, but for the variables, which all of them share. */
export type BatchCompileOptions<Outputs extends NamedTypes = NamedTypes> = Omit<
  CompileOptions<Outputs>,
  "variables"
>;

/** What the programs share. */
export interface BatchProgramsOptions {
  /** Where the variables live; without it the programs have their own, and free them with themselves. */
  readonly variables?: Variables;
  /** How many programs to keep, 4 by default: each has an arena of its own. The one unused for longest goes first. */
  readonly keep?: number;
  /** Called when a program for another batch size has been compiled, which takes a while: the place to say so. */
  readonly onCompile?: (batchSize: number, program: Program) => void;
}

/** An input that grows with the batch. */
interface BatchInput {
  readonly name: string;
  /** For a batch of one example. */
  readonly shape: Shape;
}

interface Kept<Outputs extends NamedTypes, Inputs extends InputTypes> {
  readonly program: Program<Outputs, Inputs>;
  readonly running: Set<Promise<unknown>>;
}

/**
 * A graph for batches of any size. Shapes of a graph are fixed, so there is one for each size, made by `build`, and a program
 * compiled of it when a batch of that size first comes; the last, smaller batch of a data set costs one more. They share
 * their variables.
 *
 * The batch size is read off the lengths of the feeds: `build` is called for 1 and for 2 at first, and an input whose shape
 * differs between the two is one that grows with the batch.
 *
 *     const programs = new BatchPrograms(gpu, (batchSize) => {
 *       const graph = new Graph();
 *       const x = graph.input("x", [batchSize, 784]);
 *       …
 *       return { outputs: { loss }, updates };
 *     });
 *     const { loss } = await programs.run({ x, labels });
 */
export class BatchPrograms<
  Outputs extends NamedTypes = NamedTypes,
  Inputs extends InputTypes = InputTypes,
> implements Disposable {
  readonly #gpu: Gpu;
  readonly #build: (batchSize: number) => BatchCompileOptions<Outputs>;
  readonly #variables: Variables;
  readonly #ownsVariables: boolean;
  readonly #keep: number;
  readonly #onCompile: BatchProgramsOptions["onCompile"];
  readonly #inputs: readonly BatchInput[];
  /** By batch size, the one unused for longest first. */
  readonly #programs = new Map<number, Kept<Outputs, Inputs>>();
  /** The last run that waits for a program to be compiled: work is submitted in the order in which it was asked for. */
  #waiting: Promise<unknown> | null = null;
  #destroyed = false;

  /**
   * @param build makes a graph for batches of `batchSize` examples, and says what to compile of it. It must name inputs and
   *   variables alike for every size.
   * @throws Error when no input grows with the batch, or one does otherwise than in proportion; what `build` throws.
   */
  constructor(
    gpu: Gpu,
    build: (batchSize: number) => BatchCompileOptions<Outputs>,
    { variables, keep = 4, onCompile }: BatchProgramsOptions = {},
  ) {
    if (!Number.isInteger(keep) || keep < 1) {
      throw new Error(`BatchPrograms: keep is ${keep}, and must be a whole number from 1.`);
    }
    this.#gpu = gpu;
    this.#build = build;
    this.#keep = keep;
    this.#onCompile = onCompile;
    this.#inputs = batchInputs(graphOf(build(1)), graphOf(build(2)));
    this.#variables = variables ?? new Variables(gpu);
    this.#ownsVariables = !variables;
  }

  /** The numbers that all programs share. */
  get variables(): Variables {
    return this.#variables;
  }

  /**
   * Runs the program for batches of as many examples as `feeds` has, which is compiled before if need be; see `Program.run`.
   * Runs are submitted in the order in which they were asked for. The numbers of the feeds are the caller's again at once.
   *
   * @throws Error when the inputs were not fed for one and the same whole number of examples, and what `Program.run` and
   *   {@link compile} throw.
   */
  async run<Fetched extends keyof Outputs & string = keyof Outputs & string>(
    feeds: Feeds<Inputs>,
    fetch?: readonly Fetched[],
  ): Promise<Results<Outputs, Fetched>> {
    const batchSize = this.#batchSizeOf(feeds);
    const ready = this.#waiting ? undefined : this.#programs.get(batchSize);
    if (ready) return this.#submit(batchSize, ready, feeds, fetch);

    const copies = copyOf(feeds);
    const turn = this.#inTurn(async () => {
      const kept = await this.#programFor(batchSize);
      // In an object, so that the next turn does not wait for the results.
      return { results: this.#submit(batchSize, kept, copies, fetch) };
    });
    return (await turn).results;
  }

  /**
   * The program for batches of `batchSize` examples, compiled if need be; to look at its plan, or to have it ready. It is
   * destroyed when others take its place or by {@link destroy}.
   *
   * @throws what {@link compile} throws.
   */
  async prepare(batchSize: number): Promise<Program<Outputs, Inputs>> {
    this.#check();
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new Error(`A batch of ${batchSize} examples: it must be a whole number from 1.`);
    }
    return (await this.#inTurn(() => this.#programFor(batchSize))).program;
  }

  /** Frees all programs; shared variables stay. A second call does nothing. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const { program } of this.#programs.values()) program.destroy();
    this.#programs.clear();
    if (this.#ownsVariables) this.#variables.destroy();
  }

  /** {@link destroy}, for `using programs = new BatchPrograms(…)`. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  #check(): void {
    if (this.#destroyed) throw new Error("The programs have been destroyed: make them again to run them.");
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = (this.#waiting ?? Promise.resolve()).then(work);
    // Whoever asked hears of an error; the next one's turn comes all the same.
    const done: Promise<unknown> = turn.then(
      () => this.#endTurn(done),
      () => this.#endTurn(done),
    );
    this.#waiting = done;
    return turn;
  }

  #endTurn(turn: Promise<unknown>): void {
    if (this.#waiting === turn) this.#waiting = null;
  }

  async #programFor(batchSize: number): Promise<Kept<Outputs, Inputs>> {
    this.#check();
    const known = this.#programs.get(batchSize);
    if (known) return known;
    while (this.#programs.size >= this.#keep) await this.#drop(this.#programs.keys().next().value!);
    const options = { ...this.#build(batchSize), variables: this.#variables };
    const program = await compile<Outputs, Inputs>(this.#gpu, options);
    if (this.#destroyed) {
      program.destroy();
      this.#check();
    }
    const kept = { program, running: new Set<Promise<unknown>>() };
    this.#programs.set(batchSize, kept);
    this.#onCompile?.(batchSize, program);
    return kept;
  }

  async #drop(batchSize: number): Promise<void> {
    const { program, running } = this.#programs.get(batchSize)!;
    this.#programs.delete(batchSize);
    await Promise.allSettled([...running]);
    program.destroy();
  }

  #submit<Fetched extends keyof Outputs & string>(
    batchSize: number,
    kept: Kept<Outputs, Inputs>,
    feeds: Feeds<Inputs>,
    fetch?: readonly Fetched[],
  ): Promise<Results<Outputs, Fetched>> {
    this.#check();
    // Last in the map is last to go.
    this.#programs.delete(batchSize);
    this.#programs.set(batchSize, kept);
    const { program, running } = kept;
    const results = program.run(feeds, fetch);
    running.add(results);
    const end = (): boolean => running.delete(results);
    results.then(end, end);
    return results;
  }

  #batchSizeOf(feeds: Feeds): number {
    this.#check();
    // An input that no output needs is none of the program's: whether all are fed is for it to say.
    const sizes = this.#inputs.flatMap((input) => {
      const length = lengthIn(feeds, input.name);
      return length === undefined ? [] : [{ name: input.name, examples: examplesIn(input, length) }];
    });
    if (sizes.length === 0) {
      const names = this.#inputs.map(({ name }) => `"${name}"`).join(", ");
      throw new Error(`None of the inputs that grow with the batch was fed: ${names}.`);
    }
    const other = sizes.find(({ examples }) => examples !== sizes[0].examples);
    if (other) {
      throw new Error(
        `"${sizes[0].name}" was fed ${examplesText(sizes[0].examples)} and "${other.name}" ` +
          `${examplesText(other.examples)}: feed all inputs of a batch alike.`,
      );
    }
    return sizes[0].examples;
  }
}

const examplesText = (count: number): string => (count === 1 ? "1 example" : `${count} examples`);

const lengthIn = (feeds: Feeds, name: string): number | undefined =>
  (feeds as Readonly<Record<string, ArrayLike<number> | undefined>>)[name]?.length;

function examplesIn({ name, shape }: BatchInput, length: number): number {
  const examples = length / sizeOf(shape);
  if (Number.isInteger(examples) && examples >= 1) return examples;
  throw new Error(
    `The input "${name}" was fed ${length} numbers, and takes ${sizeOf(shape)} for each example of a batch: it is ` +
      `${shapeText(shape)} for one.`,
  );
}

function graphOf({ outputs, updates = [], taps = {} }: BatchCompileOptions): Graph {
  const some = [...Object.values(outputs), ...updates, ...Object.values(taps)].at(0);
  if (!some) throw new Error("BatchPrograms: there is nothing to compute, neither an output nor an update.");
  return some.graph;
}

/** Those inputs whose shapes differ between batches of one and of two examples. */
function batchInputs(one: Graph, two: Graph): BatchInput[] {
  const inputs = [...one.inputs.values()].flatMap(({ name, shape }) => {
    const other = two.inputs.get(name)?.shape;
    if (other && sameShape(shape, other)) return [];
    if (other && sizeOf(other) === 2 * sizeOf(shape)) return [{ name, shape }];
    throw new Error(
      `BatchPrograms: the input "${name}" is ${shapeText(shape)} for a batch of 1 and ` +
        `${other ? shapeText(other) : "missing"} for one of 2: give it the batch as an extent, or one shape for all.`,
    );
  });
  if (inputs.length > 0) return inputs;
  const names = [...one.inputs.keys()].map((name) => `"${name}"`).join(", ");
  throw new Error(
    `BatchPrograms: no input's shape depends on the batch size (${names || "there is none"}): give one the batch as its ` +
      `first extent.`,
  );
}

const copyOf = <Inputs extends InputTypes>(feeds: Feeds<Inputs>): Feeds<Inputs> =>
  Object.fromEntries(
    Object.entries<Float32Array | Uint32Array>(feeds).map(([name, values]) => [
      name,
      ArrayBuffer.isView(values) ? values.slice() : values,
    ]),
  ) as unknown as Feeds<Inputs>;
