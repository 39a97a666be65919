/** Milliseconds of work that the GPU should have before it while the host makes the next batch. */
const AHEAD = 100;

/**
 * How many steps may be under way at once. Two keep the GPU busy while the host looks at a result; where steps are short it
 * takes more of them to outlast the host's own pauses (a slow batch, a collection of garbage). More than are needed would
 * only make progress and Ctrl-C late. On the CPU the steps and the host share the cores, so two it stays.
 *
 * @param milliseconds that a step takes, null when none has ended yet.
 */
export function stepsInFlight(onCpu: boolean, milliseconds: number | null): number {
  if (onCpu || milliseconds === null) return 2;
  return Math.min(8, Math.max(2, 1 + Math.ceil(AHEAD / milliseconds)));
}

/** Steps that have been submitted and whose outcome nobody has seen. Outcomes are seen in the order of submission. */
export class Flight {
  readonly #onCpu: boolean;
  readonly #waiting: Promise<void>[] = [];
  #newest: Promise<void> = Promise.resolve();
  #seen: number | null = null;
  #milliseconds: number | null = null;

  constructor({ onCpu }: { onCpu: boolean }) {
    this.#onCpu = onCpu;
  }

  /**
   * Takes on a step that is running; `see` is called with its outcome after those of all steps before it. Waits for the
   * oldest steps where there are as many as {@link stepsInFlight} allows.
   *
   * @throws what a step or a `see` has thrown; then no later outcome is seen.
   */
  async add<Outcome>(running: Promise<Outcome>, see: (outcome: Outcome) => void): Promise<void> {
    const seen = Promise.allSettled([running, this.#newest]).then(([own, before]) => {
      if (before.status === "rejected") throw before.reason;
      if (own.status === "rejected") throw own.reason;
      this.#clock();
      see(own.value);
    });
    // Whoever waits for it hears of a failure.
    seen.catch(() => undefined);
    this.#newest = seen;
    this.#waiting.push(seen);
    while (this.#waiting.length >= stepsInFlight(this.#onCpu, this.#milliseconds))
      await this.#waiting.shift();
  }

  /** Waits until no step is under way. Throws as {@link add} does. */
  async drain(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    await Promise.allSettled(waiting);
    // What comes between this step and the next one is no step's time.
    this.#seen = null;
    await Promise.all(waiting);
  }

  #clock(): void {
    const now = performance.now();
    if (this.#seen !== null) this.#milliseconds = now - this.#seen;
    this.#seen = now;
  }
}
