import { open, rename, rm } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { fileMatches, sizeOf } from "./checksum.ts";
import type { Checksum } from "./checksum.ts";
import { FetchError, fileError } from "./fetch-error.ts";
import { messageOf } from "../message-of.ts";
import { isCertificateFault, isUnreachable, networkCode, Passing, proxyHint, refuse } from "./network.ts";

/** A file to be had, and how to know that it is the right one. */
export interface RemoteFile {
  readonly url: string;
  readonly bytes: number;
  readonly checksum: Checksum;
}

/** What a server says of a file before it gives it. */
export interface StatedFile {
  readonly bytes: number;
  /** The digest that Google's storage gives with a file (`x-goog-hash`), which tells a damaged copy. */
  readonly checksum: Checksum | undefined;
}

export interface DownloaderOptions {
  /** What to do when the files cannot be downloaded, for sentences: `download … by hand and give --data FOLDER`. */
  readonly byHand: string;
  /** Its abortion ends every download with its reason and leaves what has arrived. */
  readonly signal?: AbortSignal | undefined;
  /** Told of bytes as they arrive or are found; of a negative number when a file is begun anew. */
  readonly onBytes?: ((bytes: number, arrived: boolean) => void) | undefined;
  /** Tries of a request in a row that bring nothing; 5 by default. */
  readonly attempts?: number | undefined;
  /** Wait before the second try, doubled before each further one; 500 ms by default. */
  readonly retryDelayMs?: number | undefined;
  /** How long a connection may be silent; 30 s by default. */
  readonly silenceMs?: number | undefined;
}

/** Bytes of a text at most. */
const LARGEST_TEXT = 2 ** 24;

/** Downloads over HTTP that go on where they stopped and count only when their checksum is right. */
export class Downloader {
  readonly #options: DownloaderOptions;
  /** Whether any answer has come: from then on a host that cannot be reached is worth another try. */
  #reached = false;

  constructor(options: DownloaderOptions) {
    this.#options = options;
  }

  /**
   * A small text.
   * @throws FetchError when it cannot be had.
   */
  async text(url: string): Promise<string> {
    return this.#persist(url, async () => {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      await this.#request(url, { method: "GET" }, async (response, pieces) => {
        if (response.status !== 200) refuse(response, this.#options.byHand);
        for await (const piece of pieces) {
          if ((bytes += piece.length) > LARGEST_TEXT)
            throw new FetchError(`The answer from ${url} is too long.`);
          chunks.push(piece);
        }
      });
      return Buffer.concat(chunks).toString();
    });
  }

  /**
   * How large a file is, and its digest where the server says it.
   * @throws FetchError when it cannot be had, or the server does not say how large it is.
   */
  async stated(url: string): Promise<StatedFile> {
    return this.#persist(url, async () => {
      let stated: StatedFile | undefined;
      await this.#request(url, { method: "HEAD" }, (response) => {
        if (response.status !== 200) refuse(response, this.#options.byHand);
        stated = statedBy(response.headers);
        return Promise.resolve();
      });
      if (stated !== undefined) return stated;
      throw new FetchError(
        `${new URL(url).host} does not say how large ${url} is, so nobody can tell when it is whole: ` +
          `${this.#options.byHand}.`,
      );
    });
  }

  /**
   * Brings a file to `path`, unless it lies there already. Bytes go to `path.part`, whose length tells a later call
   * where to go on; it takes its name when its checksum is right and is removed when it is wrong.
   * @throws FetchError when it cannot be had or written, or is not the file it should be.
   */
  async file({ url, bytes, checksum }: RemoteFile, path: string): Promise<void> {
    if (await fileMatches(path, { bytes, checksum })) {
      this.#options.onBytes?.(bytes, false);
      return;
    }
    const part = `${path}.part`;
    try {
      // What an earlier call has left may be of another file: a second, whole download decides.
      for (let left = Math.min(await sizeOf(part), bytes); ; left = 0) {
        this.#options.onBytes?.(left, false);
        await this.#persist(url, () => this.#receive(url, part, bytes), part);
        if (await fileMatches(part, { bytes, checksum })) break;
        await rm(part, { force: true });
        if (left === 0) {
          throw new FetchError(
            `What ${url} gave is not the file it should be (its checksum is wrong) and has been removed: run the ` +
              `same command again over another connection, or ${this.#options.byHand}.`,
          );
        }
        this.#options.onBytes?.(-bytes, false);
      }
      await rename(part, path);
    } catch (error) {
      throw fileError(error, path);
    }
  }

  /** One try to get what is missing of `part`. */
  async #receive(url: string, part: string, bytes: number): Promise<void> {
    const had = await sizeOf(part);
    if (had >= bytes && bytes > 0) return;
    const headers: Record<string, string> = had > 0 ? { range: `bytes=${had}-` } : {};
    await this.#request(url, { method: "GET", headers }, async (response, pieces) => {
      if (response.status === 416) {
        await rm(part, { force: true });
        this.#options.onBytes?.(-had, false);
        throw new Passing("it does not have the rest of the file");
      }
      if (response.status !== 200 && response.status !== 206) refuse(response, this.#options.byHand);
      const from =
        response.status === 206
          ? /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1]
          : "0";
      if (from !== String(had) && from !== "0") throw new Passing("it gives another part of the file");
      if (from === "0") this.#options.onBytes?.(-had, false);
      const file = await open(part, from === "0" ? "w" : "a");
      try {
        let at = Number(from);
        for await (const piece of pieces) {
          // More than there should be cannot be right: keep as much as makes the checksum fail.
          await file.writeFile(piece.subarray(0, bytes + 1 - at));
          this.#options.onBytes?.(Math.min(piece.length, bytes - at), true);
          if ((at += piece.length) > bytes) return;
        }
        await file.sync();
        if (at < bytes) throw new Passing(`the connection ended after ${at} of ${bytes} bytes`);
      } finally {
        await file.close();
      }
    });
  }

  /** Sends a request and hands its answer to `use`; ends it when it falls silent or the signal is aborted. */
  async #request(
    url: string,
    { method, headers = {} }: { method: "GET" | "HEAD"; headers?: Record<string, string> },
    use: (response: Response, pieces: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    const { signal, silenceMs = 30_000 } = this.#options;
    signal?.throwIfAborted();
    const silence = new AbortController();
    const timer = setTimeout(
      () => silence.abort(new Passing(`it was silent for ${silenceMs / 1000} s`)),
      silenceMs,
    );
    const ended = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
    try {
      const response = await fetch(url, {
        method,
        // Compressed content would have other byte positions.
        headers: { "accept-encoding": "identity", "user-agent": "bespoke", ...headers },
        signal: ended,
      });
      this.#reached = true;
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        for await (const piece of response.body ?? []) {
          timer.refresh();
          yield piece;
        }
      };
      try {
        await use(response, pieces());
      } finally {
        await response.body?.cancel().catch(() => undefined);
      }
    } catch (error) {
      ended.throwIfAborted();
      // What `fetch` throws when the network fails.
      if (error instanceof TypeError && error.cause !== undefined) throw this.#networkError(url, error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #networkError(url: string, error: TypeError): Error {
    const { host } = new URL(url);
    const { byHand } = this.#options;
    if (isCertificateFault(error)) {
      return new FetchError(
        `${host} cannot be trusted (${networkCode(error)}): where a proxy looks into connections, name its certificate ` +
          `in NODE_EXTRA_CA_CERTS; or ${byHand}.`,
      );
    }
    if (isUnreachable(error) && !this.#reached) {
      return new FetchError(
        `${host} cannot be reached (${networkCode(error)})${proxyHint()}: go online and run the same command again, or ` +
          `${byHand}.`,
      );
    }
    return new Passing(networkCode(error), undefined, error);
  }

  /** Tries `work` until it succeeds, fails for good, or has failed too often with `part` no longer than before. */
  async #persist<T>(url: string, work: () => Promise<T>, part?: string): Promise<T> {
    const { attempts = 5, retryDelayMs = 500, signal, byHand } = this.#options;
    let longest = 0;
    for (let failures = 0; ;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Passing)) throw error;
        const length = part === undefined ? 0 : await sizeOf(part);
        failures = length > longest ? 1 : failures + 1;
        longest = Math.max(longest, length);
        if (failures >= attempts) {
          throw new FetchError(
            `${url} cannot be had (${messageOf(error)}, ${failures} times)${proxyHint()}: run the same command again ` +
              `later, which goes on from here, or ${byHand}.`,
            { cause: error },
          );
        }
        await pause(error.waitMs ?? retryDelayMs * 2 ** (failures - 1), signal);
      }
    }
  }
}

/** Undefined where the headers do not say how large the file is. */
function statedBy(headers: Headers): StatedFile | undefined {
  const bytes = Number(headers.get("content-length") ?? Number.NaN);
  if (!Number.isSafeInteger(bytes) || bytes < 1) return undefined;
  const md5 = /(?:^|,)\s*md5=([A-Za-z0-9+/]{22}==)/.exec(headers.get("x-goog-hash") ?? "")?.[1];
  if (md5 === undefined) return { bytes, checksum: undefined };
  return { bytes, checksum: { algorithm: "md5", hex: Buffer.from(md5, "base64").toString("hex") } };
}

/** Waits, unless the signal is aborted: then throws its reason. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
}
