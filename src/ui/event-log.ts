import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { bytesAt, readEvents } from "./event-file.ts";
import type { LoggedStep } from "./event-file.ts";

/** A step's picture within an event file. */
interface Shot {
  readonly step: number;
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** What the event files of a run say of its steps; {@link update} reads what was added since. */
export class EventLog {
  /** In order. */
  steps: { globalStep: number; loss: number; accuracy: number }[] = [];
  #shots: Shot[] = [];
  readonly #folder: string;
  readonly #read = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Global steps of the predictions that were kept. */
  get pictured(): number[] {
    return this.#shots.map(({ step }) => step);
  }

  async update(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    // Their names hold the time they were begun at.
    for (const name of names.filter((name) => name.includes(".tfevents.")).sort()) {
      const path = join(this.#folder, name);
      const read = await readEvents(path, this.#read.get(path) ?? 0).catch(() => null);
      if (!read) continue;
      this.#read.set(path, read.next);
      for (const logged of read.steps) this.#take(path, logged);
    }
  }

  /** PNG of the predictions after a step; null when there is none. */
  async picture(step: number): Promise<Buffer | null> {
    const shot = this.#shots.find((entry) => entry.step === step);
    if (!shot) return null;
    const file = await open(shot.path, "r").catch(() => null);
    if (!file) return null;
    try {
      return await bytesAt(file, shot.offset, shot.length);
    } catch {
      return null;
    } finally {
      await file.close();
    }
  }

  #take(path: string, { step, scalars, images, restart }: LoggedStep): void {
    if (restart) {
      this.steps = this.steps.filter(({ globalStep }) => globalStep < step);
      this.#shots = this.#shots.filter((shot) => shot.step < step);
    }
    const { "train/loss": loss, "train/accuracy": accuracy } = scalars;
    if (loss !== undefined && accuracy !== undefined) this.steps.push({ globalStep: step, loss, accuracy });
    if (images.predictions) this.#shots.push({ step, path, ...images.predictions });
  }
}
