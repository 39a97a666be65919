import type { ServerResponse } from "node:http";
import type { RunObserver } from "../runs/observer.ts";
import { EventStream } from "./event-stream.ts";
import { listenOnLoopback } from "./http-server.ts";
import { LiveRun } from "./live-run.ts";
import { pageFiles } from "./page-files.ts";
import { RunFiles } from "./run-files.ts";
import type { RunSource } from "./run-source.ts";
import { emptyState } from "./run-state.ts";
import type { RunMessage } from "./run-state.ts";

export interface ServeOptions {
  /** A run's folder, whose files are shown and watched; without it the page waits for the observer's `start`. */
  readonly folder?: string;
  /** 0 for any free one; without it the first free one from 4650. */
  readonly port?: number;
  /** Whether the page keeps the process from ending; not by default. */
  readonly keepAlive?: boolean;
  /** Milliseconds between two looks at the folder. */
  readonly watchEvery?: number;
}

export interface RunServer {
  readonly url: string;
  /** Given to a trainer, it shows the run step by step. Its `close` closes the server. */
  readonly observer: RunObserver;
  readonly close: () => Promise<void>;
}

/**
 * Serves the live page of one run at `http://127.0.0.1:<port>/`: progress, curves, predictions, memory plan, settings.
 * Training never waits for a page, and pages that are slow or gone hold no memory.
 *
 * @throws UiError when `folder` is no run's folder or the port cannot be had.
 */
export async function serveRun(options: ServeOptions): Promise<RunServer> {
  const { folder, port, keepAlive, watchEvery = 1000 } = options;
  let source: RunSource = folder === undefined ? nothingYet : await RunFiles.read(folder);
  let live: LiveRun | null = null;
  const stream = new EventStream({ snapshot: () => ({ type: "state", state: source.state }) });
  const files = await pageFiles("page");

  const handle = async (path: string, response: ServerResponse): Promise<boolean> => {
    if (path === "/events") {
      if (!stream.add(response)) response.writeHead(503, { "Retry-After": "10" }).end();
      return true;
    }
    const picture = /^\/pictures\/([\w-]{1,80})\.png$/.exec(path);
    const plan = /^\/plans\/(frozen|finetune)\.json$/.exec(path);
    const file = picture
      ? asFile("image/png", await source.picture(picture[1]))
      : plan
        ? asFile("application/json", asJson(await source.plan(plan[1])))
        : files.get(path);
    if (!file) return false;
    response.writeHead(200, { "Content-Type": file.type }).end(file.body);
    return true;
  };
  const server = await listenOnLoopback(handle, { port, keepAlive });

  const look = async (): Promise<void> => {
    if (!(source instanceof RunFiles)) return;
    const next = await source.next().catch(() => null);
    // The observer may have taken over meanwhile.
    if (next === null || !(source instanceof RunFiles)) return;
    source = next;
    stream.send({ type: "state", state: next.state });
  };
  let looking = false;
  const watch = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => (looking = false));
  }, watchEvery).unref();

  const close = async (): Promise<void> => {
    clearInterval(watch);
    live?.flush();
    stream.send({ type: "close" });
    stream.close();
    await server.close();
  };
  const observer: RunObserver = {
    async start(run) {
      clearInterval(watch);
      const before = await RunFiles.read(run.path).catch(() => null);
      const send = (message: RunMessage): void => stream.send(message);
      source = live = new LiveRun(run, before, send);
      send({ type: "state", state: live.state });
    },
    phase: (phase, plan) => live?.observer.phase(phase, plan),
    step: (result) => live?.observer.step(result),
    epoch: (result) => live?.observer.epoch(result),
    end: (summary) => live?.observer.end(summary),
    close,
  };
  return { url: server.url, observer, close };
}

const nothingYet: RunSource = {
  state: emptyState(),
  picture: () => Promise.resolve(null),
  plan: () => Promise.resolve(null),
};

const asJson = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
const asFile = (
  type: string,
  body: string | Buffer | null,
): { type: string; body: string | Buffer } | undefined => (body === null ? undefined : { type, body });
