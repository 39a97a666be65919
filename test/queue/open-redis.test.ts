import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { openRedis } from "../../src/queue/open-redis.ts";
import { redisAddress, RedisError } from "../../src/queue/redis-address.ts";
import { redisProgram, TestRedis } from "../helpers/redis.ts";

const SECRET = "s3cr3t&word";
const WITHIN = encodeURIComponent(SECRET);

/** What is said of an environment whose Redis cannot be used: a sentence without the password, also where it is dumped whole. */
async function refusal(env: NodeJS.ProcessEnv): Promise<string> {
  try {
    const { client } = await openRedis(await redisAddress(env));
    client.disconnect();
    return "it opened";
  } catch (error) {
    expect(error).toBeInstanceOf(RedisError);
    const dumped = inspect(error, { depth: 9, showHidden: true });
    for (const secret of [SECRET, WITHIN]) expect(dumped).not.toContain(secret);
    return (error as Error).message;
  }
}

describe("the address of Redis", () => {
  it("is on this machine unless the environment says another", async () => {
    expect(await redisAddress({})).toEqual({
      where: "127.0.0.1:6379",
      host: "127.0.0.1",
      port: 6379,
      db: 0,
      tls: null,
    });
    const url = `rediss://me:${WITHIN}@[::1]:7000/3`;
    for (const name of ["BESPOKE_REDIS", "REDIS_URL"])
      expect(await redisAddress({ [name]: url, REDIS_PASSWORD: "another" })).toEqual({
        ...{ where: "[::1]:7000", host: "::1", port: 7000, db: 3, username: "me", password: SECRET, tls: {} },
      });
    const beside = { REDIS_URL: "redis://db", REDIS_PASSWORD: SECRET, REDIS_USERNAME: "me" };
    expect(await redisAddress(beside)).toMatchObject({
      host: "db",
      port: 6379,
      username: "me",
      password: SECRET,
    });
    expect(await redisAddress({ ...beside, BESPOKE_REDIS: "redis://first" })).toMatchObject({
      host: "first",
    });
  });

  it("is refused in a sentence that gives no secret away", async () => {
    for (const url of [`http://:${WITHIN}@host`, `:${WITHIN}@host:6379`, `redis://:${WITHIN}@host:port`])
      expect(await refusal({ BESPOKE_REDIS: url })).toMatch(
        /^BESPOKE_REDIS is not the address of a Redis: write redis:/,
      );
    expect(await refusal({ REDIS_URL: `redis://:${WITHIN}@host/first` })).toMatch(
      /^REDIS_URL names a database that is not/,
    );
    expect(await refusal({ REDIS_URL: `redis://:${WITHIN}%@host` })).toMatch(
      /has a % that must be written %25/,
    );
    expect(await refusal({ REDIS_URL: "rediss://host", REDIS_CA: "/nowhere.pem" })).toMatch(
      /^REDIS_CA names a file that cannot be read \(ENOENT/,
    );
  });
});

const open: TestRedis[] = [];
const started = async (...options: string[]): Promise<TestRedis> => {
  const redis = await TestRedis.start(found, options);
  open.push(redis);
  return redis;
};

const found = await redisProgram();

describe.skipIf("reason" in found)("opening Redis", () => {
  afterAll(async () => {
    for (const redis of open) await redis.end();
  });

  it("says what is wrong with one that does not answer", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await refusal({ BESPOKE_REDIS: `redis://:${WITHIN}@127.0.0.1:${port}` })).toBe(
      `Nothing answers as Redis at 127.0.0.1:${port} (ECONNREFUSED): start it there; BESPOKE_REDIS names another.`,
    );
    expect(await refusal({ BESPOKE_REDIS: `redis://:${WITHIN}@no-such-host.invalid` })).toMatch(
      /^There is no host no-such-host\.invalid for Redis at no-such-host\.invalid:6379 \(E/,
    );
  });

  it("has patience with one that is being started, where it is asked to", async () => {
    const redis = await started();
    await redis.kill();
    setTimeout(() => void redis.start(), 1000);
    const { client } = await openRedis(await redisAddress({ REDIS_URL: redis.url }), { patient: true });
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
    await redis.kill();
    const stop = AbortSignal.timeout(700);
    await expect(
      openRedis(await redisAddress({ REDIS_URL: redis.url }), { patient: true, signal: stop }),
    ).rejects.toThrow(/abort/i);
  });

  it("tells a wrong password from none and from too many", async () => {
    const redis = await started("--requirepass", "right");
    const where = `Redis at 127.0.0.1:${redis.port}`;
    expect(await refusal({ BESPOKE_REDIS: redis.url, REDIS_PASSWORD: SECRET })).toBe(
      `${where} refuses the password (or the user): see REDIS_PASSWORD, or what is within BESPOKE_REDIS.`,
    );
    expect(await refusal({ BESPOKE_REDIS: redis.url })).toBe(
      `${where} wants a password: set REDIS_PASSWORD.`,
    );
    const { client, notes } = await openRedis(
      await redisAddress({ REDIS_URL: redis.url, REDIS_PASSWORD: "right" }),
    );
    expect([await client.ping(), notes]).toEqual(["PONG", []]);
    client.disconnect();
    expect(await refusal({ REDIS_URL: `${redis.url}/99`, REDIS_PASSWORD: "right" })).toBe(
      `${where} has no database of that number.`,
    );
  });

  it("says that it may throw shards away, or is too old", async () => {
    const redis = await started("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");
    const { client, notes } = await openRedis(await redisAddress({ REDIS_URL: redis.url }));
    client.disconnect();
    expect(notes).toEqual([
      expect.stringMatching(/maxmemory-policy allkeys-lru.*set maxmemory-policy to noeviction\.$/),
    ]);

    // Redis's protocol, by a server that says of itself that it is an old one.
    const server = createServer((socket) => {
      socket
        .on("error", () => undefined)
        .on("data", (asked) => {
          const commands = asked.toString().match(/\*\d+\r\n/g) ?? [];
          const about = "redis_version:5.0.14\r\nloading:0\r\n";
          const answer = /info/i.test(asked.toString())
            ? `$${about.length}\r\n${about}\r\n`
            : "-ERR unknown command\r\n";
          socket.write(answer.repeat(commands.length));
        });
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await refusal({ REDIS_URL: `redis://127.0.0.1:${port}` })).toBe(
      `Redis at 127.0.0.1:${port} is 5.0.14, and the queue needs 6.2 or newer.`,
    );
    server.close();
  });

  it("speaks TLS, and says what stands in its way", async (context) => {
    const plain = await started();
    expect(await refusal({ REDIS_URL: `rediss://:${WITHIN}@127.0.0.1:${plain.port}` })).toMatch(
      /write redis:\/\/ instead of rediss/,
    );
    const file = (name: string): string => join(plain.folder, name);
    try {
      execFileSync(
        "openssl",
        [
          ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
          ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
          ...["-keyout", file("key.pem"), "-out", file("cert.pem")],
        ],
        { stdio: "ignore" },
      );
    } catch {
      context.skip("there is no openssl here to make a certificate");
    }
    const files = [
      "--tls-cert-file",
      file("cert.pem"),
      "--tls-key-file",
      file("key.pem"),
      "--tls-ca-cert-file",
      file("cert.pem"),
    ];
    // What `port` is to others is its TLS port here.
    const redis = await started(...files, "--requirepass", SECRET).catch(() => null);
    if (redis === null) return context.skip("this redis-server has no TLS");
    const admin = await openRedis(await redisAddress({ REDIS_URL: redis.url, REDIS_PASSWORD: SECRET }));
    await admin.client.config("SET", "port", "0");
    await admin.client.config("SET", "tls-port", String(redis.port));
    admin.client.disconnect();
    const [secure, password] = [`rediss://localhost:${redis.port}`, { REDIS_PASSWORD: SECRET }];
    expect(await refusal({ REDIS_URL: redis.url, ...password })).toMatch(/if it wants TLS, write rediss:/);
    expect(await refusal({ REDIS_URL: secure, ...password })).toMatch(
      /^The certificate of Redis at localhost:\d+ is not to be trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\): REDIS_CA/,
    );
    const trusting = { REDIS_URL: secure, ...password, REDIS_CA: file("cert.pem") };
    expect(await refusal(trusting)).toMatch(/if it asks for a certificate, set REDIS_CERT and REDIS_KEY\.$/);
    const { client } = await openRedis(
      await redisAddress({ ...trusting, REDIS_CERT: file("cert.pem"), REDIS_KEY: file("key.pem") }),
    );
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
  });
});

describe.runIf("reason" in found)("without redis-server", () => {
  it("skips", (context) => context.skip("reason" in found ? found.reason : ""));
});
