import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { writeHistory } from "../../src/runs/history.ts";
import { tensorBoard } from "../../src/runs/tensorboard/tensorboard.ts";
import type { RunMessage, RunState } from "../../src/ui/run-state.ts";
import { serveRun } from "../../src/ui/serve-run.ts";
import type { RunServer, ServeOptions } from "../../src/ui/serve-run.ts";
import { UiError } from "../../src/ui/ui-error.ts";
import { SimulatedRun, smallPlan } from "./simulated-run.ts";

describe("serveRun", () => {
  let root: string;
  const cleanups: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "bespoke-ui-"));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function serve(options: ServeOptions = {}): Promise<RunServer> {
    const server = await serveRun({ port: 0, ...options });
    cleanups.push(server.close);
    return server;
  }

  /** A request as it is written, with no client in between that tidies it up. */
  function ask(
    url: string,
    path: string,
    { headers = {}, method = "GET" }: { headers?: Record<string, string>; method?: string } = {},
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url);
      const asked = request({ hostname, port, path, method, headers, agent: false }, (response) => {
        let body = "";
        response.setEncoding("latin1").on("data", (chunk: string) => (body += chunk));
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      asked.on("error", reject).end();
    });
  }

  /** Listens to the events; `until` waits for a message. */
  function listen(url: string): {
    messages: RunMessage[];
    until: (test: (m: RunMessage) => boolean) => Promise<RunMessage>;
  } {
    const messages: RunMessage[] = [];
    const { hostname, port } = new URL(url);
    let text = "";
    let woken = (): void => {};
    const asked = request({ hostname, port, path: "/events", agent: false }, (response) => {
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        const frames = text.split("\n\n");
        text = frames.pop()!;
        for (const frame of frames)
          if (frame.startsWith("data: ")) messages.push(JSON.parse(frame.slice(6)) as RunMessage);
        woken();
      });
    });
    asked.on("error", () => {}).end();
    cleanups.push(() => void asked.destroy());
    return {
      messages,
      until: async (test) => {
        for (;;) {
          const found = messages.find(test);
          if (found) return found;
          await new Promise<void>((resolve) => (woken = resolve));
        }
      },
    };
  }
  const stateOf = (message: RunMessage): RunState => (message as { type: "state"; state: RunState }).state;

  it("serves its files and nothing else", async () => {
    const { url } = await serve();
    const page = await ask(url, "/");
    expect(page.status).toBe(200);
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.headers["content-security-policy"]).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(page.headers["cross-origin-resource-policy"]).toBe("same-origin");
    expect(page.headers).not.toHaveProperty("access-control-allow-origin");
    for (const path of ["/page.js", "/page.css", "/icon.svg", "/fonts/inter-400.woff2"]) {
      expect((await ask(url, path)).status).toBe(200);
    }
    for (const path of [
      "/index.html",
      "/package.json",
      "/../package.json",
      "/pictures/../../package.json",
      "/pictures/..%2f..%2fpackage.png",
      "/pictures/epoch-1.png",
      "/pictures/constructor.png",
      "/plans/frozen.json",
      "/plans/constructor.json",
      "//etc/passwd",
      "/fonts/",
    ]) {
      expect([path, (await ask(url, path)).status]).toEqual([path, 404]);
    }
    expect((await ask(url, "/", { method: "POST" })).status).toBe(405);
    expect((await ask(url, "/", { method: "OPTIONS" })).status).toBe(405);
  });

  it("answers only to its own address", async () => {
    const { url } = await serve();
    const { port } = new URL(url);
    const status = async (path: string, headers: Record<string, string>): Promise<number> =>
      (await ask(url, path, { headers })).status;
    expect(await status("/", { host: `localhost:${port}` })).toBe(200);
    // A name that was pointed at the loopback (DNS rebinding), another port, no name at all.
    expect(await status("/", { host: `evil.example:${port}` })).toBe(403);
    expect(await status("/events", { host: "127.0.0.1" })).toBe(403);
    expect(await status("/page.js", { origin: "http://evil.example" })).toBe(403);
    expect(await status("/page.js", { origin: `http://127.0.0.1:${port}` })).toBe(200);
    // Pictures are not for other sites; a link to the page is.
    expect(await status("/page.js", { "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await status("/", { "sec-fetch-site": "cross-site" })).toBe(200);
  });

  it("listens on the loopback interface alone", async () => {
    const { url } = await serve();
    const { hostname, port } = new URL(url);
    expect(hostname).toBe("127.0.0.1");
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === "IPv4");
    for (const { address } of others) {
      const refused = new Promise<string>((resolve) => {
        const socket = connect({ host: address, port: Number(port) });
        socket.on("connect", () => resolve("connected")).on("error", () => resolve("refused"));
        cleanups.push(() => void socket.destroy());
      });
      expect(await refused).toBe("refused");
    }
  });

  it("tells a page that opens late everything, then every change", async () => {
    const { url, observer } = await serve();
    const run = new SimulatedRun("runs/train-5");
    await observer.start!(run.info);
    await observer.phase!("frozen", smallPlan());
    run.steps(observer, 1);
    await run.epoch(observer, 1);
    const { until } = listen(url);
    const state = stateOf(await until(({ type }) => type === "state"));
    expect(state.status).toBe("training");
    expect(state.run).toMatchObject({ name: "train-5", epochs: 4, stepsPerEpoch: 6, fineTuningFrom: 3 });
    expect(state.curve.steps).toEqual([1, 2, 3, 4, 5, 6]);
    expect(state.epochs).toHaveLength(1);
    expect(state.backgroundAccuracy).toBe(0.7616);
    expect(state.pictures).toEqual([{ id: "epoch-1", label: "Epoch 1" }]);
    expect(state.plans).toEqual(["frozen"]);

    run.steps(observer, 2, 2);
    expect(await until(({ type }) => type === "steps")).toMatchObject({
      steps: [
        { epoch: 2, step: 1, globalStep: 7 },
        { epoch: 2, step: 2, globalStep: 8 },
      ],
    });
    await observer.end!(run.summary());
    await until(({ type }) => type === "end");
    expect((await ask(url, "/pictures/epoch-1.png")).body.slice(1, 4)).toBe("PNG");
    expect(JSON.parse((await ask(url, "/plans/frozen.json")).body)).toMatchObject({ dispatches: 6 });
    await observer.close!();
    await until(({ type }) => type === "close");
  });

  it("follows a folder that another process writes, steps and pictures included", async () => {
    const folder = join(root, "train-1");
    await mkdir(folder);
    const run = new SimulatedRun(folder);
    await writeFile(join(folder, "config.json"), JSON.stringify({ ...run.info.config, stepsPerEpoch: 6 }));
    const { url } = await serve({ folder, watchEvery: 20 });
    const { until } = listen(url);
    expect(stateOf(await until(({ type }) => type === "state")).status).toBe("waiting");

    const events = tensorBoard();
    await events.start!(run.info);
    run.steps(events, 1);
    await run.epoch(events, 1);
    const later = stateOf(await until((m) => m.type === "state" && stateOf(m).pictures.length > 0));
    expect(later).toMatchObject({ status: "training", pictures: [{ id: "epoch-1", label: "Epoch 1" }] });
    expect(later.curve.steps).toEqual([1, 2, 3, 4, 5, 6]);
    const { body } = await ask(url, "/pictures/epoch-1.png");
    const original = await readFile(new URL("../../docs/predictions.png", import.meta.url), "latin1");
    expect(body === original).toBe(true);
    await events.close!();

    const row = {
      phase: "frozen",
      loss: 1,
      accuracy: 0.7,
      valLoss: 1,
      valAccuracy: 0.7,
      valMeanIou: NaN,
      valDice: null,
      valFwIou: null,
    } as const;
    await writeHistory(join(folder, "history.csv"), [{ ...row, epoch: 1, seconds: 3 }]);
    await writeFile(join(folder, "summary.json"), JSON.stringify(run.summary()));
    const last = stateOf(await until((m) => m.type === "state" && stateOf(m).status === "finished"));
    expect(last.epochs).toMatchObject([{ epoch: 1, valMeanIou: null }]);
  });

  it("shows the past of a run that is resumed", async () => {
    const folder = join(root, "train-2");
    await mkdir(folder);
    const first = new SimulatedRun(folder);
    await writeFile(join(folder, "config.json"), JSON.stringify({ ...first.info.config, stepsPerEpoch: 6 }));
    const events = tensorBoard();
    await events.start!(first.info);
    first.steps(events, 1);
    await first.epoch(events, 1);
    first.steps(events, 2, 3);
    await events.close!();
    const row = {
      phase: "frozen",
      loss: 1,
      accuracy: 0.7,
      valLoss: 1,
      valAccuracy: 0.7,
      valMeanIou: 0.1,
      valDice: null,
      valFwIou: null,
    } as const;
    await writeHistory(join(folder, "history.csv"), [{ ...row, epoch: 1, seconds: 3 }]);

    // The checkpoint was that of the first epoch: three steps are made again.
    const { url, observer } = await serve({ folder });
    const resumed = new SimulatedRun(folder, { resumedAtStep: 6 });
    await observer.start!(resumed.info);
    resumed.steps(observer, 2);
    await resumed.epoch(observer, 2);
    const state = stateOf(await listen(url).until(({ type }) => type === "state"));
    expect(state.curve.steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(state.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(state.pictures.map(({ id }) => id)).toEqual(["epoch-1", "epoch-2"]);
    for (const epoch of [1, 2]) expect((await ask(url, `/pictures/epoch-${epoch}.png`)).status).toBe(200);
  });

  it("says what is wrong in a sentence", async () => {
    await expect(serve({ folder: join(root, "nowhere") })).rejects.toThrow(
      /nowhere is no run's folder \(there is no readable config\.json in it\)/,
    );
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => new Promise<void>((resolve) => void taken.close(() => resolve())));
    const { port } = taken.address() as AddressInfo;
    const refused = serve({ port });
    await expect(refused).rejects.toThrow(UiError);
    await expect(refused).rejects.toThrow(
      `The page cannot be served: port ${port} is already in use; give another port, or none.`,
    );
  });

  it("takes the next port where the usual one is taken", async () => {
    const first = await serveRun({});
    cleanups.push(first.close);
    const second = await serveRun({});
    cleanups.push(second.close);
    expect(second.url).not.toBe(first.url);
    expect((await ask(second.url, "/")).status).toBe(200);
  });
});
