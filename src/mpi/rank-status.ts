/** @file What a rank tells the process that started it: which process it is, and what it is doing. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { hostname } from "node:os";

/** The variable that names the socket of {@link watchRanks}. */
export const STATUS_SOCKET = "BESPOKE_RANKS_SOCKET";

/** What a rank has told last. */
export interface RankStatus {
  readonly rank: number;
  readonly pid: number;
  readonly host: string;
  /** `step 12` */
  readonly at: string;
  /** Whether it comes to its end by itself, having said what there was to say. */
  readonly ended: boolean;
}

/** What a rank writes first of all. */
export type Greeting = { readonly news: number } | { readonly life: number };

/**
 * A rank's connections to the process that started it: one for its news, and one on which nothing is ever said, and of which only the end
 * counts. Ends of such connections are heard of in their order, however late; that of one with news could be heard of when the
 * news is.
 */
export class StatusTeller {
  readonly #socket: Socket;
  #status: RankStatus;

  constructor(path: string, rank: number) {
    this.#status = { rank, pid: process.pid, host: hostname(), at: "the start", ended: false };
    this.#socket = connectionTo(path, { news: rank });
    connectionTo(path, { life: rank });
    this.tell({});
    process.once("exit", () => this.tell({ ended: true }));
  }

  tell(news: Partial<Pick<RankStatus, "at" | "ended">>): void {
    this.#status = { ...this.#status, ...news };
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(this.#status)}\n`);
  }
}

function connectionTo(path: string, greeting: Greeting): Socket {
  const socket = connect(path);
  // Nobody may listen any more: that is no reason to stop.
  socket.on("error", () => undefined).unref();
  socket.write(`${JSON.stringify(greeting)}\n`);
  return socket;
}
