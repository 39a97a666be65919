import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface TestServer {
  /** `http://127.0.0.1:PORT` */
  readonly home: string;
  /** Every request so far: path, and the range it asked for. */
  readonly requests: string[];
}

export type Answer = (request: IncomingMessage, response: ServerResponse, nth: number) => void;

/** A server for the running test; `nth` counts the requests of one path from 1. */
export async function serve(answer: Answer): Promise<TestServer> {
  const requests: string[] = [];
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url!;
    requests.push([path, request.headers.range].filter(Boolean).join(" "));
    counts.set(path, (counts.get(path) ?? 0) + 1);
    answer(request, response, counts.get(path)!);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { home: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Sends content, or the part of it that was asked for. */
export function send(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  ranges = true,
): void {
  const from = ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
  if (from >= content.length && from > 0) response.writeHead(416).end();
  else if (from > 0) {
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { "content-range": range }).end(content.subarray(from));
  } else response.writeHead(200, { "content-length": content.length }).end(content);
}

/** Sends the first `bytes` of what was asked for and cuts the connection. */
export function cut(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  bytes: number,
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const left = content.length - from;
  response.writeHead(from > 0 ? 206 : 200, {
    "content-length": left,
    ...(from > 0 && { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  response.write(content.subarray(from, from + bytes), () => setTimeout(() => response.destroy(), 30));
}

export const md5 = (content: Buffer): string => createHash("md5").update(content).digest("hex");

export const blobId = (content: Buffer): string =>
  createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
