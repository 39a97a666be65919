/**
 * @file How the process that has started ranks on this machine finds out that one was killed, and which: `mpiexec` kills the others within
 * milliseconds. Connections are closed in the order in which processes end. On a busy machine the other rank of two was named once in some
 * hundred kills all the same; why is not known.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Interface } from "node:readline";
import type { Greeting, RankStatus } from "./rank-status.ts";

export interface RankWatch {
  /** Where the ranks connect. */
  readonly path: string;
  /** To be called when the ranks are told to end: nobody who does is told of. */
  readonly expectEnd: () => void;
  close(): Promise<void>;
}

/**
 * Listens to the ranks of this machine. The first one that is gone without having come to its end by itself was killed, or has crashed.
 *
 * @param onGone called once, with what that rank has told last.
 */
export async function watchRanks(onGone: (status: RankStatus) => void): Promise<RankWatch> {
  const folder = await mkdtemp(join(tmpdir(), "bespoke-ranks-"));
  const path =
    process.platform === "win32" ? `\\\\.\\pipe\\${folder.replace(/\W/g, "-")}` : join(folder, "socket");
  /** What comes now has its reason in what was before. */
  let over = false;
  const statuses = new Map<number, Promise<RankStatus | undefined>>();
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    const lines = createInterface(socket);
    lines.once("line", (line) => {
      const greeting = JSON.parse(line) as Greeting;
      if ("news" in greeting) statuses.set(greeting.news, lastStatus(lines));
      // Not "close", which comes in the reverse order where several connections have ended meanwhile.
      else for (const event of ["end", "error"]) socket.once(event, () => void onEnd(greeting.life));
    });
  });
  const lastStatus = (lines: Interface): Promise<RankStatus | undefined> =>
    new Promise((resolve) => {
      let status: RankStatus | undefined;
      lines.on("line", (line) => {
        status = JSON.parse(line) as RankStatus;
        // What it has to say it says itself.
        if (status.ended) over = true;
      });
      lines.on("close", () => resolve(status));
    });
  const onEnd = async (rank: number): Promise<void> => {
    if (over) return;
    over = true;
    const status = await statuses.get(rank);
    if (status && !status.ended) onGone(status);
  };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(path, resolve);
  });
  return {
    path,
    expectEnd: () => {
      over = true;
    },
    close: async () => {
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
