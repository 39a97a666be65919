import { SingleBar } from "cli-progress";

/** Tells a person how a download goes. */
export interface FetchProgress {
  start(files: number, bytes: number): void;
  /** Bytes that have arrived or were found on the disk; negative when they are given up. */
  bytes(count: number, arrived: boolean): void;
  /** One more file is whole. */
  file(): void;
  /** Leaves the terminal as it was found. */
  stop(): void;
}

/** A bar that is redrawn on a terminal, plain lines elsewhere. */
export function createFetchProgress(stream: NodeJS.WriteStream): FetchProgress {
  return stream.isTTY ? bar(stream) : lines(stream);
}

/** `62.4 MB` (10⁶ bytes). */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** What has arrived so far, and how fast. */
class Tally {
  #total = { files: 0, bytes: 0 };
  #began = 0;
  #arrived = 0;
  files = 0;
  bytes = 0;

  start(files: number, bytes: number): void {
    this.#total = { files, bytes };
    this.#began = performance.now();
    this.files = this.bytes = this.#arrived = 0;
  }

  add(bytes: number, arrived: boolean): void {
    this.bytes += bytes;
    if (arrived) this.#arrived += bytes;
  }

  toString(): string {
    const { files, bytes } = this.#total;
    const speed = this.#arrived / Math.max((performance.now() - this.#began) / 1000, 1e-3);
    const pace = this.#arrived === 0 ? "" : `  ${megabytes(speed)}/s`;
    const counted = files === 1 ? "" : `${this.files}/${files} files  `;
    return `${counted}${megabytes(this.bytes)} of ${megabytes(bytes)}${pace}`;
  }
}

function bar(stream: NodeJS.WriteStream): FetchProgress {
  const tally = new Tally();
  const single = new SingleBar({
    format: "  [{bar}] {percentage} %  {tally}",
    stream,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
  });
  // cli-progress hides the cursor; a signal must not leave it hidden.
  const restore = (): void => single.stop();
  return {
    start(files, bytes) {
      tally.start(files, bytes);
      process.once("exit", restore);
      single.start(bytes, 0, { tally: String(tally) });
    },
    bytes(count, arrived) {
      tally.add(count, arrived);
      single.update(tally.bytes, { tally: String(tally) });
    },
    file() {
      tally.files += 1;
    },
    stop() {
      single.stop();
      process.removeListener("exit", restore);
    },
  };
}

/** Milliseconds between two lines. */
const LINE_EVERY = 5000;

function lines(stream: NodeJS.WriteStream): FetchProgress {
  const tally = new Tally();
  let lastLine = 0;
  const line = (): void => void stream.write(`  ${String(tally)}\n`);
  return {
    start(files, bytes) {
      tally.start(files, bytes);
      lastLine = performance.now();
    },
    bytes(count, arrived) {
      tally.add(count, arrived);
      if (performance.now() - lastLine < LINE_EVERY) return;
      lastLine = performance.now();
      line();
    },
    file() {
      tally.files += 1;
    },
    stop: line,
  };
}
