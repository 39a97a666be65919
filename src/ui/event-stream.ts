import type { ServerResponse } from "node:http";
import type { RunMessage } from "./run-state.ts";

export interface EventStreamOptions {
  /** The whole state, for a page that opens or has fallen behind. */
  readonly snapshot: () => RunMessage;
  readonly mostClients?: number;
  /** Milliseconds between two signs of life. */
  readonly heartbeat?: number;
  /** Milliseconds after which a page that takes nothing is let go. */
  readonly patience?: number;
}

interface Client {
  readonly response: ServerResponse;
  /** Since when it has taken nothing; null while it keeps up. */
  blockedAt: number | null;
}

/**
 * Server-sent events to any number of pages, none of which can hold up the sender. What a page cannot take at once is
 * not queued: it gets the whole state when it is ready again, and is let go when it is not for long. So a page costs at
 * most one state's memory.
 */
export class EventStream {
  readonly #clients = new Set<Client>();
  readonly #options: Required<EventStreamOptions>;
  readonly #timer: NodeJS.Timeout;

  constructor(options: EventStreamOptions) {
    this.#options = { mostClients: 32, heartbeat: 10_000, patience: 30_000, ...options };
    this.#timer = setInterval(() => this.#beat(), this.#options.heartbeat).unref();
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Takes over a response and begins with the whole state; false, and nothing done, when there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#clients.size >= this.#options.mostClients) return false;
    const client: Client = { response, blockedAt: null };
    this.#clients.add(client);
    response.on("close", () => this.#clients.delete(client));
    response.on("error", () => this.#clients.delete(client));
    response.on("drain", () => {
      if (client.blockedAt === null) return;
      client.blockedAt = null;
      this.#write(client, frame(this.#options.snapshot()));
    });
    response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8" });
    this.#write(client, frame(this.#options.snapshot()));
    return true;
  }

  send(message: RunMessage): void {
    if (this.#clients.size === 0) return;
    const text = frame(message);
    for (const client of this.#clients) this.#write(client, text);
  }

  /** Ends all streams. */
  close(): void {
    clearInterval(this.#timer);
    for (const { response } of this.#clients) response.end();
    this.#clients.clear();
  }

  #write(client: Client, text: string): void {
    if (client.response.writableNeedDrain) client.blockedAt ??= performance.now();
    else client.response.write(text);
  }

  #beat(): void {
    for (const client of this.#clients) {
      const { response, blockedAt } = client;
      if (blockedAt !== null && performance.now() - blockedAt > this.#options.patience) response.destroy();
      else this.#write(client, ":\n\n");
    }
  }
}

const frame = (message: RunMessage): string => `data: ${JSON.stringify(message)}\n\n`;
