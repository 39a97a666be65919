import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebPhotos } from "../../src/bulk/fetch-photo.ts";
import { isPassing } from "../../src/bulk/passing-error.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, time: number) => void;

/** What a server has under its paths; `time` counts how often one is asked for. */
const ANSWERS: Record<string, Answer> = {
  "/a.jpg": (_, response) => response.end("photo"),
  "/large.jpg": (_, response) => response.end("x".repeat(2000)),
  "/endless.jpg": (_, response) => {
    const timer = setInterval(() => response.write("x".repeat(400)), 1);
    response.on("close", () => clearInterval(timer));
  },
  "/slow.jpg": (_, response) => void response.write("x"),
  "/silent.jpg": () => undefined,
  "/busy.jpg": (_, response, time) => (time < 3 ? response.writeHead(429).end() : response.end("photo")),
  "/later.jpg": (_, response, time) =>
    time < 2 ? response.writeHead(503, { "retry-after": "1" }).end() : response.end("photo"),
  "/tomorrow.jpg": (_, response) => response.writeHead(429, { "retry-after": "86400" }).end(),
  "/cut.jpg": (_, response, time) => {
    if (time > 1) return response.end("photo");
    response.writeHead(200, { "content-length": "5" });
    response.write("pho", () => response.destroy());
  },
  "/reset.jpg": (request) => request.socket.resetAndDestroy(),
  "/gone.jpg": (_, response) => response.writeHead(404).end("<html>"),
  "/moved.jpg": (_, response) => response.writeHead(302, { location: "/a.jpg" }).end(),
  "/around.jpg": (_, response) => response.writeHead(301, { location: "/around.jpg" }).end(),
  "/nowhere.jpg": (_, response) => response.writeHead(301).end(),
  "/file.jpg": (_, response) => response.writeHead(301, { location: "file:///etc/passwd" }).end(),
  "/away.jpg": (request, response) =>
    response.writeHead(302, { location: `http://localhost:${request.socket.localPort}/who.jpg` }).end(),
  "/who.jpg": (request, response) => response.end(request.headers.authorization ?? "nobody"),
};

describe("WebPhotos", () => {
  const times = new Map<string, number>();
  let most = 0;
  let now = 0;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://host");
    times.set(pathname, (times.get(pathname) ?? 0) + 1);
    most = Math.max(most, (now += 1));
    response.on("close", () => (now -= 1));
    ANSWERS[pathname](request, response, times.get(pathname)!);
  });
  let host: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const LIMITS = { largest: 1000, timeoutMs: 400, attempts: 3, retryDelayMs: 5, longestPauseMs: 2000 };
  const fetched = async (path: string, limits = {}): Promise<string> =>
    (await new WebPhotos({ ...LIMITS, ...limits }).fetch(`http://${host}${path}`)).toString();
  const failed = async (
    path: string,
    limits = {},
  ): Promise<[message: string, passing: boolean, tries: number]> => {
    times.clear();
    const error = await fetched(path, limits).then(
      () => Promise.reject(new Error("It was fetched.")),
      (error: unknown) => error as Error,
    );
    return [
      error.message.replaceAll(host, "host"),
      isPassing(error),
      times.get(path.replace(/\?.*/, "")) ?? 0,
    ];
  };

  it("gives the bytes, over redirects too", async () => {
    expect(await fetched("/a.jpg")).toBe("photo");
    expect(await fetched("/moved.jpg?x=1")).toBe("photo");
  });

  it("tries again what may pass, after the pause that the server asks for", async () => {
    expect(await fetched("/busy.jpg")).toBe("photo");
    expect(times.get("/busy.jpg")).toBe(3);
    expect(await fetched("/cut.jpg")).toBe("photo");
    const begun = performance.now();
    expect(await fetched("/later.jpg", { retryDelayMs: 60_000 })).toBe("photo");
    expect(performance.now() - begun).toBeGreaterThan(950);
    times.clear();
    expect(await failed("/busy.jpg", { attempts: 2 })).toEqual([
      "The photo http://host/busy.jpg cannot be had (the server answers 429, 2 times): label it again later.",
      ...[true, 2],
    ]);
    expect(await failed("/tomorrow.jpg")).toEqual([
      expect.stringMatching(/answers 429\): label it again later/),
      true,
      1,
    ]);
    expect(await failed("/reset.jpg")).toEqual([
      expect.stringMatching(/cannot be had \(\w+, 3 times\)/),
      true,
      3,
    ]);
    for (const path of ["/slow.jpg", "/silent.jpg"])
      expect(await failed(path, { attempts: 2 })).toEqual([
        expect.stringMatching(/not there after 0\.4 s, 2 times/),
        true,
        2,
      ]);
  });

  it.each([
    ["/gone.jpg", "cannot be had: the server answers 404."],
    ["/large.jpg", "has more than 1000 bytes, which are read at most."],
    ["/endless.jpg", "has more than 1000 bytes, which are read at most."],
    ["/around.jpg", "is redirected more than 5 times."],
    ["/nowhere.jpg", "is redirected (301) to nowhere."],
    ["/file.jpg", "is redirected to what is no http."],
  ])("refuses what is not to be had, %s", async (path, problem) => {
    const [message, passing] = await failed(path);
    expect([message, passing]).toEqual([`The photo http://host${path} ${problem}`, false]);
  });

  it("refuses a redirect from https to http, and a host that there is not", async () => {
    const web = new WebPhotos(LIMITS);
    const fetch = vi
      .spyOn(globalThis, "fetch")
      .mockResolvedValue(new Response(null, { status: 302, headers: { location: "http://host/a.jpg" } }));
    try {
      await expect(web.fetch("https://host/a.jpg")).rejects.toThrow(/is redirected from https to http/);
      expect(fetch).toHaveBeenCalledTimes(1);
      fetch.mockRejectedValue(
        new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ENOTFOUND" }) }),
      );
      const error = await web.fetch("https://host/a.jpg").catch((error: unknown) => error as Error);
      expect([(error as Error).message, isPassing(error)]).toEqual([
        "The photo https://host/a.jpg cannot be had: there is no such host.",
        false,
      ]);
    } finally {
      fetch.mockRestore();
    }
  });

  it("sends a name and a password to that host alone, and shows neither", async () => {
    const web = new WebPhotos(LIMITS);
    const basic = `Basic ${Buffer.from("me:s€cret").toString("base64")}`;
    expect((await web.fetch(`http://me:s%E2%82%ACcret@${host}/who.jpg`)).toString()).toBe(basic);
    expect(
      (await web.fetch(`http://me:s@${host.replace("127.0.0.1", "localhost")}/who.jpg`)).toString(),
    ).toMatch(/^Basic/);
    expect((await web.fetch(`http://me:s@${host}/away.jpg`)).toString()).toBe("nobody");
    await expect(web.fetch(`http://me:secret@${host}/gone.jpg?token=secret`)).rejects.toThrow(
      `The photo http://${host}/gone.jpg?… cannot be had: the server answers 404.`,
    );
  });

  it("fetches no more at once than it may, and ends when it is ended", async () => {
    most = 0;
    const web = new WebPhotos({ ...LIMITS, atOnce: 3 });
    await Promise.all(Array.from({ length: 20 }, () => web.fetch(`http://${host}/a.jpg`)));
    expect(most).toBeLessThanOrEqual(3);
    const controller = new AbortController();
    const ended = web.fetch(`http://${host}/silent.jpg`, controller.signal);
    setTimeout(() => controller.abort(new Error("Enough.")), 20);
    await expect(ended).rejects.toThrow("Enough.");
  });
});
