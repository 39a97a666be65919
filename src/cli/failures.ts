import { count } from "../data/data-error.ts";

/** Photos that could not be labelled and are named, each with the reason. */
const FAILURES_TOLD = 10;

/** Keeps the first sentences on photos that could not be labelled, and counts the others. */
export class Failures {
  readonly #first: string[] = [];
  #count = 0;

  add(sentence: string): void {
    this.#count += 1;
    if (this.#first.length < FAILURES_TOLD) this.#first.push(sentence);
  }

  /** Says the first ones on stderr, and how many more there are. */
  tell(): void {
    for (const sentence of this.#first) process.stderr.write(`${sentence}\n`);
    const more = this.#count - this.#first.length;
    if (more > 0) process.stderr.write(`… and ${count(more, "more photo")} that could not be labelled\n`);
  }
}
