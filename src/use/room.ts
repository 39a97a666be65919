/**
 * Lets asynchronous work wait for what other work changes: `while (!holds()) await room.change()`. Between the last look and what follows
 * nobody else gets a turn.
 */
export class Room {
  #waiting: (() => void)[] = [];

  /** Resolves at the next {@link changed}. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** What is waited for may hold now. */
  changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
