/** How a stage of labelling photos spent the time. */
export interface StageTime {
  /** Seconds in which it had at least one photo in hand. */
  readonly worked: number;
  /** Seconds in which it had none: it waited for the stage before it, or for the one behind it to have room. */
  readonly waited: number;
  /** Seconds that it had photos in hand, added up over all of them: more than `worked` where it has several at a time. */
  readonly inHand: number;
}

/** Tells how long a stage works, whose photos may overlap. */
export class StageClock {
  #inHand = 0;
  #since = 0;
  #worked = 0;
  #sum = 0;

  /** Does a piece of work that belongs to the stage. */
  async time<T>(work: () => Promise<T>, photos = 1): Promise<T> {
    this.#change(photos);
    try {
      return await work();
    } finally {
      this.#change(-photos);
    }
  }

  /** @param elapsed seconds since the beginning */
  read(elapsed: number): StageTime {
    this.#change(0);
    const worked = this.#worked / 1000;
    return { worked, waited: Math.max(0, elapsed - worked), inHand: this.#sum / 1000 };
  }

  #change(by: number): void {
    const now = performance.now();
    if (this.#inHand > 0) this.#worked += now - this.#since;
    this.#sum += this.#inHand * (now - this.#since);
    this.#since = now;
    this.#inHand += by;
  }
}
