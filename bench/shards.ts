import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { openPlan } from "../src/bulk/plan.ts";
import { formatBytes } from "../src/text-table.ts";

/** Lines of the list; an argument says otherwise. */
const LINES = Number(process.argv[2] ?? 5_000_000);

/** What dividing a long list into shards takes, and reading the shards again. */
const folder = await mkdtemp(join(tmpdir(), "bespoke-shards-"));
try {
  const list = join(folder, "list.txt");
  const file = createWriteStream(list);
  for (let line = 0; line < LINES; line += 1000) {
    let block = "";
    for (let i = line; i < Math.min(line + 1000, LINES); i++)
      block += `street/${String(i % 9973).padStart(5, "0")}/photo-${String(i).padStart(10, "0")}.jpg\n`;
    if (!file.write(block)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  const { size } = await stat(list);
  const out = join(folder, "out");
  await mkdir(out);
  const before = process.memoryUsage().rss;
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    const result = await work();
    const seconds = (performance.now() - begun) / 1000;
    console.log(
      `${what}: ${seconds.toFixed(1)} s, ${(LINES / seconds / 1e6).toFixed(1)} million lines a second`,
    );
    return result;
  };
  console.log(`A list of ${LINES} lines, ${formatBytes(size)}`);
  const plan = await timed("Divided", () => openPlan({ list }, { out }));
  const count = await timed(`The ${plan.count} shards read`, async () => {
    let shards = 0;
    for await (const shard of (await openPlan({ list }, { out })).shards())
      shards += Number(shard.index >= 0);
    return shards;
  });
  if (count !== plan.count) throw new Error(`${count} shards were read of ${plan.count}.`);
  clearInterval(watch);
  console.log(`Memory: ${formatBytes(Math.max(0, most - before))} more than before`);
} finally {
  await rm(folder, { recursive: true });
}
