import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Downloader } from "../../src/fetch/downloader.ts";
import type { DownloaderOptions, RemoteFile } from "../../src/fetch/downloader.ts";
import { FetchError } from "../../src/fetch/fetch-error.ts";
import { folderOf } from "../data/folder.ts";
import { cut, md5, send, serve } from "./server.ts";
import type { Answer, TestServer } from "./server.ts";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));

interface Setting {
  server: TestServer;
  remote: RemoteFile;
  path: string;
  downloader: (options?: Partial<DownloaderOptions>) => Downloader;
  /** Bytes told of so far. */
  told: () => number;
}

async function setting(answer: Answer, files: Record<string, Uint8Array> = {}): Promise<Setting> {
  const server = await serve(answer);
  let told = 0;
  const onBytes = (bytes: number): void => void (told += bytes);
  return {
    server,
    remote: {
      url: `${server.home}/w.h5`,
      bytes: content.length,
      checksum: { algorithm: "md5", hex: md5(content) },
    },
    path: join(await folderOf(files), "w.h5"),
    downloader: (options) =>
      new Downloader({ byHand: "get it by hand", retryDelayMs: 1, silenceMs: 10_000, onBytes, ...options }),
    told: () => told,
  };
}

/** An address where nobody listens. */
async function deserted(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}

async function sentence(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(FetchError);
  const { message } = error as FetchError;
  expect(message).toMatch(/^[^\n]*\.$/);
  return message;
}

test("brings a file, and asks for nothing when it is there", async () => {
  const { server, remote, path, downloader, told } = await setting((q, r) => send(q, r, content));
  await downloader().file(remote, path);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
  expect(existsSync(`${path}.part`)).toBe(false);
  await downloader().file(remote, path);
  expect(server.requests).toEqual(["/w.h5"]);
  expect(told()).toBe(2 * content.length);
});

test("goes on after a cut connection where it stopped", async () => {
  const { server, remote, path, downloader, told } = await setting((q, r, nth) =>
    nth <= 2 ? cut(q, r, content, 100_000) : send(q, r, content),
  );
  await downloader().file(remote, path);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
  expect(server.requests).toHaveLength(3);
  for (const request of server.requests.slice(1)) expect(request).toMatch(/^\/w\.h5 bytes=[1-9]\d*-$/);
  expect(told()).toBe(content.length);
});

test("begins anew where a server knows no ranges", async () => {
  const { remote, path, downloader, told } = await setting((q, r, nth) =>
    nth === 1 ? cut(q, r, content, 100_000) : send(q, r, content, false),
  );
  await downloader().file(remote, path);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
  expect(told()).toBe(content.length);
});

test("goes on with what an earlier call has left, unless it is of another file", async () => {
  const left = await setting((q, r) => send(q, r, content), { "w.h5.part": content.subarray(0, 1000) });
  await left.downloader().file(left.remote, left.path);
  expect(left.server.requests).toEqual(["/w.h5 bytes=1000-"]);
  expect(left.told()).toBe(content.length);

  for (const wrong of [Buffer.alloc(1000), Buffer.alloc(content.length), Buffer.alloc(content.length + 7)]) {
    const other = await setting((q, r) => send(q, r, content), { "w.h5.part": wrong });
    await other.downloader().file(other.remote, other.path);
    expect(other.server.requests.at(-1)).toBe("/w.h5");
    expect(Buffer.compare(await readFile(other.path), content)).toBe(0);
    expect(other.told()).toBe(content.length);
  }
});

test("refuses content with a wrong checksum, shorter or longer than it should be, and removes it", async () => {
  const wrong = Buffer.from(content);
  wrong[7] ^= 1;
  for (const given of [wrong, Buffer.concat([content, content])]) {
    const { remote, path, downloader } = await setting((q, r) => send(q, r, given));
    expect(await sentence(downloader().file(remote, path))).toMatch(
      /w\.h5 gave is not the file it should be \(its checksum is wrong\) and has been removed: .* or get it by hand\.$/,
    );
    expect(await readdir(join(path, ".."))).toEqual([]);
  }
  const short = await setting((q, r) => send(q, r, content.subarray(0, 10)));
  expect(await sentence(short.downloader({ attempts: 2 }).file(short.remote, short.path))).toContain(
    "cannot be had",
  );
  expect(existsSync(short.path)).toBe(false);
});

test("a missing file is told at once, a server's trouble after several tries", async () => {
  const missing = await setting((_, r) => r.writeHead(404).end());
  expect(await sentence(missing.downloader().file(missing.remote, missing.path))).toMatch(
    /w\.h5 cannot be had \(127\.0\.0\.1:\d+ answers 404\): get it by hand\.$/,
  );
  expect(missing.server.requests).toHaveLength(1);

  const trouble = await setting((q, r, nth) =>
    nth <= 2 ? r.writeHead(500 + nth).end() : send(q, r, content),
  );
  await trouble.downloader().file(trouble.remote, trouble.path);
  expect(trouble.server.requests).toHaveLength(3);

  const down = await setting((_, r) => r.writeHead(503).end());
  expect(await sentence(down.downloader({ attempts: 3 }).file(down.remote, down.path))).toMatch(
    /cannot be had \(it answers 503, 3 times\).*: run the same command again later, which goes on from here, or get it by hand\.$/,
  );
  expect(down.server.requests).toHaveLength(3);
});

test("waits as long as a server asks, within reason", async () => {
  const busy = await setting((q, r, nth) =>
    nth === 1 ? r.writeHead(429, { "retry-after": "0" }).end() : send(q, r, content),
  );
  await busy.downloader({ retryDelayMs: 3_600_000 }).file(busy.remote, busy.path);
  expect(busy.server.requests).toHaveLength(2);

  const reset = String(Math.ceil(Date.now() / 1000) + 1500);
  const limited = await setting((_, r) =>
    r.writeHead(403, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }).end(),
  );
  expect(await sentence(limited.downloader().text(`${limited.server.home}/list`))).toMatch(
    /wants no more requests from this address for 2[56] minutes: run the same command again then, which goes on from here\.$/,
  );
});

test("gives up on a silent server", async () => {
  const { remote, path, downloader } = await setting((q, r, nth) => {
    if (nth === 1) r.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 10));
    else if (nth > 2) send(q, r, content);
  });
  await downloader({ silenceMs: 100 }).file(remote, path);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
});

test("offline: one sentence with the way out, and a word on proxies where one is set", async () => {
  const { path, remote, downloader } = await setting((q, r) => send(q, r, content));
  const host = await deserted();
  const nowhere = { ...remote, url: `http://${host}/w.h5` };
  vi.stubEnv("HTTPS_PROXY", "");
  vi.stubEnv("https_proxy", "");
  vi.stubEnv("ALL_PROXY", "");
  vi.stubEnv("all_proxy", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await sentence(downloader().file(nowhere, path))).toBe(
    `${host} cannot be reached (ECONNREFUSED): go online and run the same command again, or get it by hand.`,
  );
  vi.stubEnv("HTTPS_PROXY", "http://proxy:3128");
  vi.stubEnv("NODE_USE_ENV_PROXY", "");
  expect(await sentence(downloader().file(nowhere, path))).toContain(
    "(HTTPS_PROXY is set, but Node heeds it from version 24 on only, and with NODE_USE_ENV_PROXY=1): go online",
  );
});

test("stopped, it leaves what has arrived for the next call", async () => {
  const stop = new AbortController();
  const { server, remote, path, downloader } = await setting((q, r, nth) => {
    if (nth > 1) send(q, r, content);
    else r.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 50_000));
  });
  const halfway = (bytes: number): void => {
    if (bytes > 0) setTimeout(() => stop.abort(new Error("Interrupted.")), 50);
  };
  await expect(downloader({ signal: stop.signal, onBytes: halfway }).file(remote, path)).rejects.toThrow(
    "Interrupted.",
  );
  expect(existsSync(path)).toBe(false);
  await downloader().file(remote, path);
  expect(server.requests[1]).toMatch(/^\/w\.h5 bytes=\d+-$/);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
});

test("what cannot be written is told in a sentence", async () => {
  const { remote, path, downloader } = await setting((q, r) => send(q, r, content), { "w.h5": Buffer.of(1) });
  const inFile = join(path, "below.h5");
  expect(await sentence(downloader().file(remote, inFile))).toMatch(
    /^Cannot write .*below\.h5: a part of the path is a file/,
  );
  const folder = join(path, "..", "full");
  await mkdir(`${join(folder, "w.h5")}.part`, { recursive: true });
  expect(await sentence(downloader().file(remote, join(folder, "w.h5")))).toMatch(/^Cannot write .*: /);
});

const hasFullDisk = existsSync("/dev/full");
if (!hasFullDisk) console.log("There is no /dev/full: a full disk is not tested.");
test.runIf(hasFullDisk)("so is a full disk", async () => {
  const { remote, path, downloader } = await setting((q, r) => send(q, r, content));
  await symlink("/dev/full", `${path}.part`);
  expect(await sentence(downloader().file(remote, path))).toMatch(
    /^Cannot write .*w\.h5: the disk is full; free some space/,
  );
});

const mayBeDenied = process.getuid !== undefined && process.getuid() !== 0;
if (!mayBeDenied) console.log("This user may write everywhere: a refused folder is not tested.");
test.runIf(mayBeDenied)("and a folder of somebody else's", async () => {
  const { remote, path, downloader } = await setting((q, r) => send(q, r, content));
  const folder = join(path, "..", "theirs");
  await mkdir(folder);
  await chmod(folder, 0o500);
  expect(await sentence(downloader().file(remote, join(folder, "w.h5")))).toContain("permission denied");
});

test("a text is bounded, and comes whole", async () => {
  const { server, downloader } = await setting((q, r, nth) =>
    q.url === "/huge"
      ? r.end(Buffer.alloc(2 ** 24 + 1))
      : nth === 1
        ? cut(q, r, content, 10)
        : send(q, r, content),
  );
  expect(await downloader().text(`${server.home}/list`)).toBe(content.toString());
  expect(await sentence(downloader().text(`${server.home}/huge`))).toContain("is too long");
});

test("an earlier, other file of the same name is replaced", async () => {
  const { remote, path, downloader } = await setting((q, r) => send(q, r, content));
  await writeFile(path, "old");
  await downloader().file(remote, path);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
});

test("asks how large a file is, and for its digest as Google's storage gives it", async () => {
  const digest = Buffer.from(md5(content), "hex").toString("base64");
  const { remote, downloader } = await setting((_, response, nth) => {
    if (nth === 1) return void response.writeHead(503).end();
    if (nth === 2) response.setHeader("x-goog-hash", `crc32c=n03x6A==,md5=${digest}`);
    response.writeHead(200, { "content-length": content.length }).end();
  });
  expect(await downloader().stated(remote.url)).toEqual({ bytes: content.length, checksum: remote.checksum });
  expect(await downloader().stated(remote.url)).toEqual({ bytes: content.length, checksum: undefined });
  const { remote: sizeless } = await setting((_, response) => void response.writeHead(200).end());
  expect(await sentence(downloader().stated(sizeless.url))).toMatch(
    /^127\S+ does not say how large \S+w\.h5 is, so nobody can tell when it is whole: get it by hand\.$/,
  );
  const { remote: gone } = await setting((_, response) => void response.writeHead(404).end());
  expect(await sentence(downloader().stated(gone.url))).toMatch(/answers 404/);
});
