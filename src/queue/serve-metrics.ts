import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../message-of.ts";

/** Where metrics are served. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

/** On this machine only, unless a host is told. */
export const METRICS_HOST = "127.0.0.1";

/**
 * Serves `/metrics` for Prometheus, and nothing else.
 *
 * @param text is asked at every scrape
 * @throws Error in a sentence when the address cannot be had.
 */
export async function serveMetrics(
  { host, port }: MetricsAddress,
  text: () => Promise<string>,
): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer((request, response) => {
    const plain = (status: number, body: string): void => {
      response.writeHead(status, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }).end(body);
    };
    if (request.method !== "GET") plain(405, "GET only.\n");
    else if ((request.url ?? "").split("?")[0] !== "/metrics") plain(404, "There is /metrics here.\n");
    else
      text().then(
        (body) => plain(200, body),
        () => plain(500, "Something went wrong.\n"),
      );
  });
  // It does not keep a worker from ending.
  server.unref();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(port, host, () => resolve());
    });
  } catch (error) {
    throw new Error(
      `The metrics cannot be served at ${host}:${port} (${messageOf(error)}): give --metrics another address.`,
      { cause: error },
    );
  }
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}/metrics`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
