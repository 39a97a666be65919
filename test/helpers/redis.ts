import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";

/** The program `redis-server`, or why there is none. */
export type RedisProgram = { readonly program: string } | { readonly reason: string };

/** What tests of the queue start; they are skipped, for the reason that is given, where there is none. */
export async function redisProgram(): Promise<RedisProgram> {
  const program = process.env.BESPOKE_REDIS_SERVER || "redis-server";
  try {
    await promisify(execFile)(program, ["--version"]);
    return { program };
  } catch {
    return {
      reason: `There is no ${program} here: \`eval "$(scripts/services.sh)"\` gets one where it may, or says how.`,
    };
  }
}

/** A Redis of a test's own, on the loopback, in a temporary folder; what it was told outlives a restart. */
export class TestRedis {
  #child: ChildProcess | null = null;

  readonly program: string;
  readonly port: number;
  readonly folder: string;
  readonly options: readonly string[];

  private constructor(program: string, port: number, folder: string, options: readonly string[]) {
    this.program = program;
    this.port = port;
    this.folder = folder;
    this.options = options;
  }

  /** @param options more of redis-server's own, which overrule what is here. */
  static async start(found: RedisProgram, options: readonly string[] = []): Promise<TestRedis> {
    if ("reason" in found) throw new Error(found.reason);
    const folder = await mkdtemp(join(tmpdir(), "bespoke-redis-"));
    const redis = new TestRedis(found.program, await freePort(), folder, options);
    await redis.start();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const child = spawn(
      this.program,
      [
        ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.folder, "--save", ""],
        // A restart loses nothing, whatever ended it.
        ...["--appendonly", "yes", "--appendfsync", "always"],
        ...this.options,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      const hear = (text: Buffer): void => {
        said += text.toString();
        if (said.includes("Ready to accept connections")) resolve();
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.on("error", reject);
      child.on("exit", () => reject(new Error(`redis-server ended: ${said}`)));
    });
  }

  /** Ends it as a power cut would; it may be started again. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }

  /** A client of the test's own. */
  client(): Redis {
    return new Redis(this.url);
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
