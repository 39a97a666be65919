import { setTimeout as wait } from "node:timers/promises";
import { DataError } from "../data/data-error.ts";
import { networkCode, retryAfter } from "../fetch/network.ts";
import { passingError } from "./passing-error.ts";
import { shownUrl } from "./web-url.ts";

/** What a photo of the web may take. */
export interface WebLimits {
  /** Bytes of a photo at most. */
  readonly largest: number;
  /** Milliseconds that a try may take, from the request to the last byte. */
  readonly timeoutMs: number;
  /** Tries, where what fails may pass. */
  readonly attempts: number;
  /** Pause before the second try, twice as long before each further one, in milliseconds. */
  readonly retryDelayMs: number;
  /** The longest pause that a server may ask for and get, in milliseconds. */
  readonly longestPauseMs: number;
  /** Redirects that are followed. */
  readonly redirects: number;
  /** Photos that are fetched at once. */
  readonly atOnce: number;
}

export const WEB_LIMITS: WebLimits = {
  largest: 2 ** 27,
  timeoutMs: 60_000,
  attempts: 4,
  retryDelayMs: 500,
  longestPauseMs: 60_000,
  redirects: 5,
  atOnce: 16,
};

const REDIRECTS = [301, 302, 303, 307, 308];

/** A failure that may pass: worth another try, after a pause that the server may have asked for. */
class TryAgain extends Error {
  readonly pauseMs: number | undefined;

  constructor(message: string, pauseMs?: number) {
    super(message);
    this.pauseMs = pauseMs;
  }
}

/** Fetches photos of the web, within limits. */
export class WebPhotos {
  readonly #limits: WebLimits;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limits: Partial<WebLimits> = {}) {
    this.#limits = { ...WEB_LIMITS, ...limits };
    this.#free = this.#limits.atOnce;
  }

  /**
   * The bytes of a photo.
   *
   * @param text its URL; a name and a password in it are sent as HTTP has it, to that host alone
   * @throws DataError when it cannot be had, which {@link isPassing} says more of; the signal's reason.
   */
  async fetch(text: string, signal?: AbortSignal): Promise<Buffer> {
    await this.#enter(signal);
    try {
      return await this.#persist(new URL(text), signal);
    } finally {
      this.#leave();
    }
  }

  async #persist(url: URL, signal: AbortSignal | undefined): Promise<Buffer> {
    const { attempts, retryDelayMs, longestPauseMs } = this.#limits;
    for (let tries = 1; ; tries++) {
      try {
        return await this.#try(url, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof TryAgain)) throw error;
        const pauseMs = error.pauseMs ?? retryDelayMs * 2 ** (tries - 1);
        if (tries >= attempts || pauseMs > longestPauseMs) {
          const often = tries === 1 ? "" : `, ${tries} times`;
          throw passingError(
            `The photo ${shownUrl(url.href)} cannot be had (${error.message}${often}): label it again later.`,
          );
        }
        await wait(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
      }
    }
  }

  async #try(first: URL, signal: AbortSignal | undefined): Promise<Buffer> {
    const { timeoutMs, redirects } = this.#limits;
    const late = AbortSignal.timeout(timeoutMs);
    const ended = signal === undefined ? late : AbortSignal.any([signal, late]);
    let url = first;
    try {
      for (let followed = 0; ; followed++) {
        const response = await fetch(bare(url), {
          redirect: "manual",
          // What is compressed has other sizes.
          headers: { "accept-encoding": "identity", "user-agent": "bespoke", ...authorization(url, first) },
          signal: ended,
        });
        try {
          if (!REDIRECTS.includes(response.status)) return await this.#receive(response, first);
          if (followed === redirects) refuse(first, `is redirected more than ${redirects} times`);
          url = redirectOf(response, url, first);
        } finally {
          await response.body?.cancel().catch(() => undefined);
        }
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (late.aborted) throw new TryAgain(`it is not there after ${timeoutMs / 1000} s`);
      // What `fetch` throws when the network fails.
      if (!(error instanceof TypeError)) throw error;
      const code = networkCode(error);
      if (code === "ENOTFOUND") refuse(first, "cannot be had: there is no such host");
      throw new TryAgain(code);
    }
  }

  async #receive(response: Response, url: URL): Promise<Buffer> {
    const { status, headers } = response;
    if (status === 429 || status === 408 || status >= 500)
      throw new TryAgain(`the server answers ${status}`, retryAfter(headers));
    if (status !== 200) refuse(url, `cannot be had: the server answers ${status}`);
    const { largest } = this.#limits;
    const tooLarge = (): never => refuse(url, `has more than ${largest} bytes, which are read at most`);
    const stated = headers.get("content-length");
    if (Number(stated ?? 0) > largest) tooLarge();
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      if ((bytes += chunk.length) > largest) tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** `fetch` takes no URL with a password in it. */
function bare(url: URL): string {
  const without = new URL(url);
  without.username = "";
  without.password = "";
  without.hash = "";
  return without.href;
}

function authorization(url: URL, first: URL): Record<string, string> {
  if (first.username === "" || url.origin !== first.origin) return {};
  const said = [first.username, first.password].map(decodeURIComponent).join(":");
  return { authorization: `Basic ${Buffer.from(said).toString("base64")}` };
}

function redirectOf({ status, headers }: Response, from: URL, first: URL): URL {
  const location = headers.get("location");
  if (location === null || !URL.canParse(location, from.href))
    return refuse(first, `is redirected (${status}) to nowhere`);
  const to = new URL(location, from.href);
  if (to.protocol === "http:" && from.protocol === "https:")
    return refuse(first, "is redirected from https to http, where anybody could change it");
  if (to.protocol !== "http:" && to.protocol !== "https:")
    return refuse(first, "is redirected to what is no http");
  return to;
}

function refuse(url: URL, problem: string): never {
  throw new DataError(`The photo ${shownUrl(url.href)} ${problem}.`);
}
