import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { UiError } from "./ui-error.ts";

/** The page is for whoever sits at this machine, and for nobody else. */
const LOOPBACK = "127.0.0.1";
/** Where a page is looked for first, and how many ports after it are tried. */
export const DEFAULT_PORT = 4650;
const PORTS_TRIED = 20;
/** Milliseconds that pages have to take what was written last when the server closes. */
const GRACE = 200;

/** With every response: nothing is loaded from elsewhere, nothing may embed, sniff or keep it. */
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};

/** Answers a request for `path`; false when there is nothing at that path. */
export type Handler = (path: string, response: ServerResponse) => Promise<boolean> | boolean;

export interface LoopbackServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * An HTTP server on the loopback interface alone, for GET alone. It refuses what does not come from a page of its own: a
 * Host that is not the loopback's (a name an attacker has pointed here), another Origin, a cross-site request.
 *
 * @param port 0 for any free one; without it the first free one from {@link DEFAULT_PORT}
 * @param keepAlive whether an open server keeps the process from ending
 * @throws UiError when `port` is taken or may not be used
 */
export async function listenOnLoopback(
  handle: Handler,
  { port, keepAlive = false }: { port?: number; keepAlive?: boolean } = {},
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const { port } = server.address() as AddressInfo;
    answer(request, response, port, handle).catch(() => {
      if (!response.headersSent) refuse(response, 500, "Something went wrong.");
      else response.destroy();
    });
  });
  if (!keepAlive) server.unref().on("connection", (socket) => socket.unref());
  const wanted = port === undefined ? [...Array(PORTS_TRIED).keys()].map((i) => DEFAULT_PORT + i) : [port];
  const bound = await bindFirst(server, port === undefined ? [...wanted, 0] : wanted);
  return {
    url: `http://${LOOPBACK}:${bound}/`,
    close: () =>
      new Promise((resolve) => {
        // What was written last gets its chance to arrive; a page that keeps its connection does not hold this up. The
        // timer holds the process, which the server itself may not do.
        const timer = setTimeout(() => {
          server.closeAllConnections();
          resolve();
        }, GRACE);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  handle: Handler,
): Promise<void> {
  const { host = "", origin } = request.headers;
  // Browsers leave out the port that http has by itself.
  const ports = port === 80 ? ["", ":80"] : [`:${port}`];
  const own = ports.flatMap((suffix) => [`${LOOPBACK}${suffix}`, `localhost${suffix}`]);
  const site = request.headers["sec-fetch-site"] ?? "none";
  const path = (request.url ?? "").split("?")[0];
  // A link or a typed address may lead to the page itself; everything else is asked for by the page.
  const fromElsewhere = site !== "same-origin" && site !== "none" && path !== "/";
  if (!own.includes(host) || (origin !== undefined && !own.includes(origin.replace(/^http:\/\//, "")))) {
    return refuse(response, 403, "This page answers only to the address it was started at.");
  }
  if (fromElsewhere) return refuse(response, 403, "This page is not for other sites.");
  if (request.method !== "GET") {
    response.setHeader("Allow", "GET");
    return refuse(response, 405, "There is nothing to do here but look: GET only.");
  }
  if (!(await handle(path, response))) refuse(response, 404, "There is nothing at this path.");
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${sentence}\n`);
}

async function bindFirst(server: Server, ports: readonly number[]): Promise<number> {
  for (const [i, port] of ports.entries()) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(port, LOOPBACK, () => {
          server.off("error", reject);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && i + 1 < ports.length) continue;
      const reasons: Record<string, string> = {
        EADDRINUSE: `port ${port} is already in use`,
        EACCES: `there is no permission to use port ${port}`,
      };
      const reason = reasons[code ?? ""] ?? message;
      throw new UiError(`The page cannot be served: ${reason}; give another port, or none.`, {
        cause: error,
      });
    }
  }
  throw new UiError("The page cannot be served: there is no free port.");
}
