import { FetchError } from "./fetch-error.ts";

/** A failure that may pass: the same request is worth another try, after `waitMs` where the server said so. */
export class Passing extends Error {
  readonly waitMs: number | undefined;

  constructor(message: string, waitMs?: number, cause?: unknown) {
    super(message, { cause });
    this.waitMs = waitMs;
  }
}

/** Failures to connect at all, by Node's code. */
const UNREACHABLE =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/;

/** Node's code for why `fetch` failed, or what it says where there is none. */
export function networkCode(error: unknown): string {
  const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? (error as Error).message;
}

export const isUnreachable = (error: unknown): boolean => UNREACHABLE.test(networkCode(error));

export const isCertificateFault = (error: unknown): boolean => /CERT|SIGNED|ISSUER/.test(networkCode(error));

/** What to know about proxies when a host cannot be reached; empty when no proxy is set. */
export function proxyHint(env: NodeJS.ProcessEnv = process.env): string {
  const name = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].find((name) => env[name]);
  if (name === undefined || env.NODE_USE_ENV_PROXY === "1") return "";
  return ` (${name} is set, but Node heeds it from version 24 on only, and with NODE_USE_ENV_PROXY=1)`;
}

/** Longest wait that a server may ask for and get. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Turns an answer that is not the asked-for content into an error.
 * @throws Passing where a later try may succeed, FetchError where none will.
 */
export function refuse(response: Response, byHand: string): never {
  const { status, headers, url } = response;
  const host = new URL(url).host;
  const waitMs = retryAfter(headers);
  const limited = status === 429 || (status === 403 && headers.get("x-ratelimit-remaining") === "0");
  if (limited && (waitMs ?? 0) > LONGEST_WAIT_MS) {
    const minutes = Math.ceil(waitMs! / 60_000);
    throw new FetchError(
      `${host} wants no more requests from this address for ${minutes} minutes: run the same command again then, ` +
        `which goes on from here.`,
    );
  }
  if (limited || status === 408 || status >= 500) {
    throw new Passing(
      `it answers ${status}`,
      waitMs === undefined ? undefined : Math.min(waitMs, LONGEST_WAIT_MS),
    );
  }
  throw new FetchError(`${url} cannot be had (${host} answers ${status}): ${byHand}.`);
}

/** How long a server asks to wait, in milliseconds (RFC 9110 §10.2.3, and GitHub's `x-ratelimit-reset`). */
export function retryAfter(headers: Headers): number | undefined {
  const after = headers.get("retry-after");
  if (after !== null) {
    const ms = /^\d+$/.test(after) ? Number(after) * 1000 : Date.parse(after) - Date.now();
    return Number.isFinite(ms) ? Math.max(ms, 0) : undefined;
  }
  const reset = headers.get("x-ratelimit-remaining") === "0" ? Number(headers.get("x-ratelimit-reset")) : NaN;
  return reset > 0 ? Math.max(reset * 1000 - Date.now(), 0) : undefined;
}
