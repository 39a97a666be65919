import { readFile } from "node:fs/promises";
import { messageOf } from "../message-of.ts";

/** A Redis that cannot be used; the message is one sentence for the user, without the password. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/** Where Redis is and what it is opened with. */
export interface RedisAddress {
  /** `host:port`, for people. */
  readonly where: string;
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  /** Null for a connection that is not encrypted. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | null;
}

const DEFAULT = "redis://127.0.0.1:6379";
const PORT = 6379;
const FORM =
  "write redis://host:6379, or rediss:// for TLS; a user, a password and /1 for a database may be within";

/**
 * Reads the environment: `BESPOKE_REDIS` or `REDIS_URL` (`redis://` or `rediss://`, with `user:password@` and `/database` where
 * there are any), `REDIS_USERNAME` and `REDIS_PASSWORD` where the address has none, and for TLS the files `REDIS_CA`, `REDIS_CERT` and
 * `REDIS_KEY` (PEM). Without an address, Redis is at 127.0.0.1:6379.
 *
 * @throws RedisError in a sentence that says nothing of what may be secret.
 */
export async function redisAddress(env: NodeJS.ProcessEnv = process.env): Promise<RedisAddress> {
  const name = env.BESPOKE_REDIS ? "BESPOKE_REDIS" : "REDIS_URL";
  const text = env[name] || DEFAULT;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "")
    throw new RedisError(`${name} is not the address of a Redis: ${FORM}.`);
  const database = url.pathname.replace(/^\/$/, "");
  if (!/^(\/\d+)?$/.test(database))
    throw new RedisError(`${name} names a database that is not a number: ${FORM}.`);
  const username = decoded(url.username, name) || env.REDIS_USERNAME;
  const password = decoded(url.password, name) || env.REDIS_PASSWORD;
  // Of an IPv6 address the brackets are the URL's.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port || PORT);
  return {
    where: `${url.hostname}:${port}`,
    ...{ host, port, db: Number(database.slice(1)) },
    ...(username && { username }),
    ...(password && { password }),
    tls: url.protocol === "rediss:" ? await tlsFiles(env) : null,
  };
}

function decoded(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisError(`The user or the password in ${name} has a % that must be written %25.`);
  }
}

async function tlsFiles(env: NodeJS.ProcessEnv): Promise<NonNullable<RedisAddress["tls"]>> {
  const files = { ca: "REDIS_CA", cert: "REDIS_CERT", key: "REDIS_KEY" } as const;
  const read: Partial<Record<keyof typeof files, Buffer>> = {};
  for (const [part, name] of Object.entries(files) as [keyof typeof files, string][]) {
    const file = env[name];
    if (!file) continue;
    try {
      read[part] = await readFile(file);
    } catch (error) {
      throw new RedisError(`${name} names a file that cannot be read (${messageOf(error)}).`);
    }
  }
  return read;
}
