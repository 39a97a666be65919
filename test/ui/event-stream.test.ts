import { createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { EventStream } from "../../src/ui/event-stream.ts";
import type { EventStreamOptions } from "../../src/ui/event-stream.ts";
import { emptyState } from "../../src/ui/run-state.ts";
import type { RunMessage } from "../../src/ui/run-state.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server with one stream, and a page that reads nothing before it is told to. */
async function streamed(options: Partial<EventStreamOptions> = {}): Promise<{
  stream: EventStream;
  page: () => Promise<IncomingMessage>;
  responses: ServerResponse[];
}> {
  const responses: ServerResponse[] = [];
  const stream = new EventStream({ snapshot: () => ({ type: "state", state: emptyState() }), ...options });
  const server = createServer((_, response) => {
    responses.push(response);
    if (!stream.add(response)) response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    stream.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const page = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port, agent: false }, (response) => {
        response.on("error", () => {});
        resolve(response);
      });
      asked.on("error", reject).end();
    });
  return { stream, page, responses };
}

/** Many bytes in one message. */
const large: RunMessage = {
  type: "state",
  state: { ...emptyState(), config: { text: "x".repeat(2 ** 20) } },
};

describe("EventStream", () => {
  it("holds nothing for a page that does not read, and lets it go in time", async () => {
    const { stream, page, responses } = await streamed({ heartbeat: 20, patience: 1000 });
    const slow = await page();
    slow.pause();
    for (let i = 0; i < 50; i++) {
      stream.send(large);
      if (i % 10 === 0) await sleep(1);
    }
    // 50 MiB were sent.
    expect(responses[0].writableLength).toBeLessThan(3 * 2 ** 20);
    expect(stream.clients).toBe(1);
    await expect.poll(() => stream.clients, { timeout: 3000 }).toBe(0);
  });

  it("gives a page that has fallen behind the whole state when it reads again", async () => {
    let snapshots = 0;
    const { stream, page } = await streamed({
      snapshot: () => ({ type: "state", state: { ...emptyState(), config: { snapshot: ++snapshots } } }),
    });
    const slow = await page();
    slow.pause();
    for (let i = 0; i < 50; i++) {
      stream.send(large);
      if (i % 10 === 0) await sleep(1);
    }
    let text = "";
    slow
      .setEncoding("utf8")
      .on("data", (chunk: string) => (text += chunk))
      .resume();
    await expect.poll(() => text.includes('"snapshot":2'), { timeout: 3000 }).toBe(true);
    // Most of what it slept through was never queued.
    expect(text.length).toBeLessThan(30 * 2 ** 20);
  });

  it("takes no more pages than it can serve", async () => {
    const { stream, page } = await streamed({ mostClients: 2 });
    await Promise.all([page(), page()]);
    expect((await page()).statusCode).toBe(503);
    expect(stream.clients).toBe(2);
  });

  it("gives signs of life, and forgets pages that have gone", async () => {
    const { stream, page } = await streamed({ heartbeat: 20 });
    const open = await page();
    let text = "";
    open.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await expect.poll(() => text.endsWith(":\n\n:\n\n")).toBe(true);
    open.destroy();
    await expect.poll(() => stream.clients).toBe(0);
  });
});
