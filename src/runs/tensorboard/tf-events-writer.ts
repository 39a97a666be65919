import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileError } from "../../files/transfer.ts";
import { event, fileVersion, image, scalar, sessionStart, summary, text } from "./event.ts";
import type { EventContent, SummaryValue } from "./event.ts";
import { tfRecord } from "./tf-record.ts";

/** Where a file begins, and its clock. */
export interface TfEventsWriterOptions {
  /**
   * The first step this file tells of. What other files of the folder say of it and of later steps, TensorBoard drops:
   * a run that is resumed from a checkpoint makes these steps again.
   */
  readonly firstStep?: number;
  /** Seconds since 1970; the clock of this machine by default. */
  readonly now?: () => number;
}

/**
 * Writes a TensorBoard event file `events.out.tfevents.<seconds>.<host>.<pid>.<number>.v2`: TFRecords of `Event`
 * messages.
 *
 * Every record is handed to the operating system whole and at once, so TensorBoard sees it while the run goes on and a
 * killed process leaves a valid file. Where a record does not fit (full disk, quota), what came of it is cut off again:
 * the file then ends with the last whole record and the call throws.
 */
export class TfEventsWriter {
  /** The file it writes. */
  readonly path: string;
  readonly #file: number;
  readonly #now: () => number;
  /** Bytes of whole records. */
  #length = 0;
  #closed = false;

  private constructor(path: string, file: number, now: () => number) {
    this.path = path;
    this.#file = file;
    this.#now = now;
  }

  /**
   * Makes a new event file in `folder`, and the folder where it is missing (not the one it lies in).
   *
   * @throws FileError, one sentence that names the path, when it cannot be written
   */
  static async create(folder: string, options: TfEventsWriterOptions = {}): Promise<TfEventsWriter> {
    const { firstStep = 0, now = () => Date.now() / 1000 } = options;
    await makeFolder(folder);
    const { path, file } = createFile(folder, now());
    const writer = new TfEventsWriter(path, file, now);
    try {
      writer.#append(0, fileVersion());
      writer.#append(firstStep, sessionStart());
    } catch (error) {
      writer.close();
      throw error;
    }
    return writer;
  }

  /** Values by tag (`train/loss`) at one step. @throws as {@link create}. */
  scalars(step: number | bigint, values: Readonly<Record<string, number>>): void {
    this.#summary(
      step,
      Object.entries(values).map(([tag, value]) => scalar(tag, value)),
    );
  }

  /** A picture, a whole PNG file. @throws as {@link create}; Error when it is no PNG. */
  image(step: number | bigint, tag: string, png: Uint8Array): void {
    this.#summary(step, [image(tag, png)]);
  }

  /** A text in Markdown. @throws as {@link create}. */
  text(step: number | bigint, tag: string, markdown: string): void {
    this.#summary(step, [text(tag, markdown)]);
  }

  /** Forces what was written to the disk. @throws as {@link create}. */
  flush(): void {
    this.#attempt(() => fsyncSync(this.#file));
  }

  /** Closes the file; may be called twice. @throws as {@link create}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#attempt(() => closeSync(this.#file));
  }

  #summary(step: number | bigint, values: readonly SummaryValue[]): void {
    if (values.length > 0) this.#append(step, summary(values));
  }

  #append(step: number | bigint, content: EventContent): void {
    const record = tfRecord(event({ wallTime: this.#now(), step }, content));
    this.#attempt(() => {
      try {
        // A file that has room for a part takes that part and says so; only the next write tells why.
        for (let done = 0; done < record.length;) {
          done += writeSync(this.#file, record, done, record.length - done, this.#length + done);
        }
      } catch (error) {
        ftruncateSync(this.#file, this.#length);
        throw error;
      }
    });
    this.#length += record.length;
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw fileError(error, "write", this.path);
    }
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fileError(error, "write", folder);
  }
}

/** Two files of one process and second differ by their number; TensorBoard reads the files in the order of their names. */
function createFile(folder: string, seconds: number): { path: string; file: number } {
  const host = hostname().replace(/[^\w.-]/g, "_");
  for (let number = 0; ; number++) {
    const stamp = String(Math.floor(seconds)).padStart(10, "0");
    const path = join(folder, `events.out.tfevents.${stamp}.${host}.${process.pid}.${number}.v2`);
    try {
      return { path, file: openSync(path, "wx") };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fileError(error, "write", path);
    }
  }
}
