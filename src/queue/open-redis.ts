import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { messageOf } from "../message-of.ts";
import { RedisError } from "./redis-address.ts";
import type { RedisAddress } from "./redis-address.ts";

/** A Redis that answered and is fit for a queue. */
export interface OpenRedis {
  readonly client: Redis;
  /** `host:port`. */
  readonly where: string;
  /** What is not well with it, in a sentence each. */
  readonly notes: readonly string[];
}

/** What BullMQ asks for. */
const LEAST_VERSION = [6, 2] as const;
/** Milliseconds until a host that says nothing is given up. */
const CONNECT_MS = 5_000;
/** Milliseconds that a worker gives a Redis that is being started, and between attempts. */
const STARTING_MS = 30_000;
const STARTING_PAUSE_MS = 500;
/** Milliseconds between attempts to reach it again, at most. */
const RECONNECT_MS = 2_000;
/** How often a command that is not patient outlives a lost connection. */
const RETRIES = 5;

/**
 * Connects to Redis and looks whether it is fit.
 *
 * @param options.patient whether what is asked of it later waits for a Redis that is gone until it is back, as a worker does; one that does
 *   not answer yet, because it is only being started, has half a minute then
 * @throws RedisError in a sentence that names host and port, and never the password.
 */
export async function openRedis(
  address: RedisAddress,
  { patient = false, signal }: { readonly patient?: boolean; readonly signal?: AbortSignal } = {},
): Promise<OpenRedis> {
  const last = performance.now() + (patient ? STARTING_MS : 0);
  for (;;) {
    try {
      return await connect(address, patient);
    } catch (error) {
      if (!(error instanceof NotYetError) || performance.now() > last) throw error;
      await sleep(STARTING_PAUSE_MS, undefined, { signal });
    }
  }
}

/** Nothing answers, or Redis is reading what it had. */
class NotYetError extends RedisError {}

async function connect(address: RedisAddress, patient: boolean): Promise<OpenRedis> {
  const { where, host, port, db, username, password, tls } = address;
  let hasAnswered = false;
  const client = new Redis({
    ...{ host, port, db, username, password },
    ...(tls && { tls }),
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    // BullMQ demands it of a worker.
    maxRetriesPerRequest: patient ? null : RETRIES,
    // One that never answered is told of at once.
    retryStrategy: (times) => (hasAnswered ? Math.min(100 * 2 ** Math.min(times, 10), RECONNECT_MS) : null),
  });
  // What `connect` says of a refusal is only that the connection is closed.
  let reason: unknown;
  const keep = (error: unknown): void => void (reason ??= error);
  client.on("error", keep);
  try {
    await client.connect();
    // Of a database that there is not, ioredis says nothing.
    if (db > 0) await client.select(db);
    const about = await client.info();
    hasAnswered = true;
    const notes = fitness(about, where);
    client.off("error", keep);
    // Told by who waits for it; without a listener ioredis writes to the console.
    client.on("error", () => undefined);
    return { client, where, notes };
  } catch (error) {
    client.disconnect();
    if (error instanceof RedisError) throw error;
    const why = reason ?? error;
    const { message } = refusal(address, why);
    const isNotYet = /ECONNREFUSED|LOADING/.test(`${(why as { code?: string }).code} ${messageOf(why)}`);
    throw isNotYet ? new NotYetError(message) : new RedisError(message);
  }
}

/** @returns what is not well. @throws RedisError for one that will not do. */
function fitness(about: string, where: string): string[] {
  const value = (key: string): string | undefined => new RegExp(`^${key}:(.*?)\\r?$`, "m").exec(about)?.[1];
  const version = value("redis_version") ?? "0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < LEAST_VERSION[0] || (major === LEAST_VERSION[0] && minor < LEAST_VERSION[1]))
    throw new RedisError(
      `Redis at ${where} is ${version}, and the queue needs ${LEAST_VERSION.join(".")} or newer.`,
    );
  const policy = value("maxmemory_policy") ?? "noeviction";
  if (policy === "noeviction") return [];
  return [
    `Redis at ${where} throws entries away when its memory is full (maxmemory-policy ${policy}), and shards of the queue with ` +
      "them: set maxmemory-policy to noeviction.",
  ];
}

/** One sentence about why Redis cannot be used. */
export function refusal({ where, host, tls, password }: RedisAddress, error: unknown): RedisError {
  const { code = "" } = error as { code?: string };
  const said = messageOf(error);
  const names = "BESPOKE_REDIS names another";
  const of = `Redis at ${where}`;
  const sentence = (): string => {
    if (["ENOTFOUND", "EAI_AGAIN"].includes(code))
      return `There is no host ${host} for ${of} (${code}): ${names}.`;
    if (["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"].includes(code))
      return `Nothing answers as ${of} (${code}): start it there; ${names}.`;
    if (code === "ETIMEDOUT" || /ETIMEDOUT|timed? ?out/i.test(said))
      return `${of} did not answer within ${CONNECT_MS / 1000} s: ${tls ? "if it has no TLS, write redis:// instead of rediss://" : "is there a firewall?"}; ${names}.`;
    if (/WRONGPASS|NOAUTH|invalid (username|password)|AUTH/i.test(said))
      return password === undefined
        ? `${of} wants a password: set REDIS_PASSWORD.`
        : `${of} refuses the password (or the user): see REDIS_PASSWORD, or what is within BESPOKE_REDIS.`;
    if (/NOPERM/.test(said)) return `${of} does not let this user do what the queue needs (NOPERM).`;
    if (/DB index|invalid DB/i.test(said)) return `${of} has no database of that number.`;
    if (tls && !code.startsWith("ERR_SSL") && /CERT|SELF_SIGNED|ISSUER|SIGNATURE/.test(code))
      return `The certificate of ${of} is not to be trusted (${code}): REDIS_CA names the file of the authority that signed it.`;
    if (tls)
      return `${of} does not speak TLS with this side (${code || said}): if it has none, write redis:// instead of rediss://; if it asks for a certificate, set REDIS_CERT and REDIS_KEY.`;
    if (code === "ECONNRESET" || /closed/i.test(said))
      return `${of} closed the connection: if it wants TLS, write rediss:// instead of redis://.`;
    return `${of} cannot be used (${password ? said.replaceAll(password, "…") : said}).`;
  };
  return new RedisError(sentence());
}

/** What a command that was not patient says when Redis goes while it runs; any other error as it is. */
export function lostRedis(error: unknown, where: string): unknown {
  if (error instanceof RedisError) return error;
  const { name = "", code = "" } = (error ?? {}) as { name?: string; code?: string };
  const isLost =
    /^MaxRetriesPerRequest|^ConnectionClosed/.test(name) ||
    /^(ECONN|EPIPE|ETIMEDOUT)/.test(code) ||
    messageOf(error) === "Connection is closed.";
  if (!isLost) return error;
  return new RedisError(
    `Redis at ${where} is gone: what was done by now stays. Run the same command again when it is back.`,
  );
}
