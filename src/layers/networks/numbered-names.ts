/**
 * Names that Keras gives to layers without one: the kind of layer, and how many of it there were before in the session. A
 * fresh session begins with none: `conv2d`, `conv2d_1`, `conv2d_2`.
 */
export class NumberedNames {
  readonly #counts = new Map<string, number>();

  /** The next name of that kind. */
  next(kind: string): string {
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    return count === 0 ? kind : `${kind}_${count}`;
  }
}
