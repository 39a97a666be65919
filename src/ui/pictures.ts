import type { Picture } from "./run-state.ts";

/** What the pictures held may take, in bytes. */
const MOST_BYTES = 64 * 2 ** 20;

/** PNGs by id, in order. When they grow too large every second of the older ones goes; the newest always stays. */
export class Pictures {
  #held: { picture: Picture; png: Buffer }[] = [];

  get list(): Picture[] {
    return this.#held.map(({ picture }) => picture);
  }

  get(id: string): Buffer | null {
    return this.#held.find(({ picture }) => picture.id === id)?.png ?? null;
  }

  /** Adds a picture, or puts it in the place of the one with its id. */
  add(picture: Picture, png: Buffer, mostBytes = MOST_BYTES): void {
    this.#held = [...this.#held.filter((held) => held.picture.id !== picture.id), { picture, png }];
    while (this.#held.length > 1 && this.#held.reduce((sum, held) => sum + held.png.length, 0) > mostBytes) {
      const last = this.#held.length - 1;
      this.#held = this.#held.filter((_, i) => i === last || (last - i) % 2 === 0);
    }
  }
}
