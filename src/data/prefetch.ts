/** An item that is on its way elsewhere: the producer may begin the one after it. */
export class Later<Item> {
  readonly item: Promise<Item>;

  constructor(item: Promise<Item>) {
    this.item = item;
  }
}

export interface PrefetchOptions {
  /** Items made before they are asked for; `PREFETCH` by default. */
  readonly ahead?: number | undefined;
  /** Whether these are begun before the first item has come; by default that one has the machine for itself. */
  readonly eager?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called once when the stream ends, for whatever reason. */
  readonly close?: (() => Promise<void>) | undefined;
}

/** Items made ahead by default: one is ready while the next is being made. */
export const PREFETCH = 2;

/**
 * Runs a producer ahead of its consumer: up to `ahead` items are made, one after another, before they are asked
 * for. A producer's failure surfaces at the `next()` that would have had the item and ends the stream; so does an
 * aborted signal, with the signal's reason. After `return()`, as at `break` in a `for await`, nothing new is begun.
 */
export class Prefetcher<Item> implements AsyncIterableIterator<Item, undefined> {
  readonly #produce: () => Promise<Item | Later<Item> | undefined>;
  readonly #ahead: number;
  readonly #eager: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #close: () => Promise<void>;
  readonly #queue: Promise<Item | undefined>[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;
  #waitedMs = 0;

  /** @param produce makes the next item, or undefined when there is none left; never called twice at a time. */
  constructor(
    produce: () => Promise<Item | Later<Item> | undefined>,
    { ahead = PREFETCH, eager = false, signal, close = () => Promise.resolve() }: PrefetchOptions = {},
  ) {
    this.#produce = produce;
    this.#ahead = ahead;
    this.#eager = eager;
    this.#signal = signal;
    this.#close = close;
  }

  /** Milliseconds that the consumer has waited in `next()` so far. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /**
   * The next item; `done` when there is none left, or the stream has ended.
   *
   * @throws what the producer threw, or the signal's reason when it is aborted; either ends the stream.
   */
  async next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    const start = performance.now();
    try {
      this.#signal?.throwIfAborted();
      this.#fill(this.#eager ? 1 + this.#ahead : 1);
      const item = await orAborted(this.#queue.shift()!, this.#signal);
      if (item === undefined) return await this.return();
      this.#fill(this.#ahead);
      return { done: false, value: item };
    } catch (error) {
      await this.return();
      throw error;
    } finally {
      this.#waitedMs += performance.now() - start;
    }
  }

  /** Ends the stream: nothing new is begun, and `close` is called once. */
  async return(): Promise<IteratorResult<Item, undefined>> {
    const first = !this.#ended;
    this.#ended = true;
    this.#queue.length = 0;
    if (first) await this.#close();
    return { done: true, value: undefined };
  }

  /** Itself, for `for await`. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  async #arrival({ item }: Later<Item>): Promise<Item | undefined> {
    try {
      return await item;
    } catch (error) {
      // Whoever ends the stream ends the work on its items as well.
      if (this.#ended) return undefined;
      throw error;
    }
  }

  #fill(length: number): void {
    while (this.#queue.length < length) {
      const begun = this.#last.then(() => (this.#ended ? undefined : this.#produce()));
      const item = begun.then((made) => (made instanceof Later ? this.#arrival(made) : made));
      // The consumer sees a failure when it comes to this item; until then it must not count as unhandled.
      item.catch(() => undefined);
      this.#queue.push(item);
      this.#last = begun;
    }
  }
}

/** The promise's outcome, or a rejection with the signal's reason as soon as it is aborted. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = withReject();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function withReject(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject!: (reason: unknown) => void;
  const promise = new Promise<never>((_, fail) => (reject = fail));
  return { promise, reject };
}
