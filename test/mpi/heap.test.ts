import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { loadKoffi } from "../../src/load-koffi.ts";
import { messageOf } from "../../src/message-of.ts";

const SCRIPT = fileURLToPath(new URL("ranks/room.ts", import.meta.url));

const reason = await whyNot();
if (reason) console.warn(`What MPI needs behind the heap is not tested: ${reason}`);

it.skipIf(reason !== null)("blocks have bytes behind them for MPICH to read, as they did not before", () => {
  const { stdout } = spawnSync(process.execPath, ["--import", "tsx", SCRIPT], {
    // The heap grows by no more than what is asked for: nearly all blocks lie at its end.
    env: { ...process.env, MALLOC_TOP_PAD_: "0" },
    encoding: "utf8",
  });
  const [before, after] = JSON.parse(stdout) as [number, number];
  expect(before).toBeGreaterThan(0);
  expect(after).toBe(0);
});

async function whyNot(): Promise<string | null> {
  try {
    (await loadKoffi()).load("libc.so.6");
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
