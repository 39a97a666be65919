import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TfEventsWriter } from "../../../src/runs/tensorboard/tf-events-writer.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";
import { png } from "./a-run.ts";
import { readEvents } from "./read-events.ts";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));

describe("TfEventsWriter", () => {
  const folder = temporaryFolder();
  const now = (): number => 1_700_000_000.5;

  it("names its file as TensorBoard looks for it and begins with version and start", async () => {
    const writer = await TfEventsWriter.create(folder("name"), { firstStep: 7, now });
    writer.close();
    writer.close();
    expect(basename(writer.path)).toMatch(
      new RegExp(`^events\\.out\\.tfevents\\.1700000000\\.[\\w.-]+\\.${process.pid}\\.0\\.v2$`),
    );
    expect(readEvents(await readFile(writer.path))).toEqual([
      { wallTime: now(), step: 0n, version: "brain.Event:2", start: false, values: [] },
      { wallTime: now(), step: 7n, version: undefined, start: true, values: [] },
    ]);
  });

  it("never writes into a file that is there", async () => {
    const [first, second] = [
      await TfEventsWriter.create(folder("twice"), { now }),
      await TfEventsWriter.create(folder("twice"), { now }),
    ];
    first.close();
    second.close();
    expect(await readdir(folder("twice"))).toEqual([basename(first.path), basename(second.path)].sort());
  });

  it("brings back any scalars at any step", async () => {
    const writer = await TfEventsWriter.create(folder("scalars"));
    const value = fc.float({ noDefaultInfinity: false });
    const event = fc.record({
      step: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      values: fc.array(fc.tuple(fc.string({ unit: "grapheme" }), value), { minLength: 1, maxLength: 4 }),
    });
    const events = fc.sample(event, { numRuns: 200, seed: 1 });
    for (const { step, values } of events) writer.scalars(step, Object.fromEntries(values));
    writer.scalars(3, {});
    writer.close();
    const read = readEvents(await readFile(writer.path)).slice(2);
    expect(read.map(({ step }) => step)).toEqual(events.map(({ step }) => step));
    expect(read.map(({ values }) => values.map(({ tag, scalar }) => [tag, scalar]))).toEqual(
      events.map(({ values }) =>
        Object.entries(Object.fromEntries(values)).map(([tag, value]) => [tag, value]),
      ),
    );
  });

  it("brings back pictures and texts", async () => {
    const writer = await TfEventsWriter.create(folder("others"));
    const picture = await png(3, 2);
    writer.image(4, "picture", picture);
    writer.text(5, "words", "Grüße, 世界 👗\n");
    writer.text(5, "none", "");
    writer.flush();
    writer.close();
    const values = readEvents(await readFile(writer.path)).flatMap((event) => event.values);
    expect(values).toEqual([
      {
        tag: "picture",
        image: { height: 2n, width: 3n, channels: 3n, png: picture },
      },
      { tag: "words", plugin: "text", text: "Grüße, 世界 👗\n" },
      { tag: "none", plugin: "text", text: "" },
    ]);
    expect(() => writer.image(6, "jpeg", Buffer.from("no picture"))).toThrow(
      '"jpeg" for TensorBoard is not a PNG',
    );
  });

  it("says in one sentence where it cannot write", async () => {
    await writeFile(folder("file"), "");
    await expect(TfEventsWriter.create(join(folder("file"), "tensorboard"))).rejects.toThrow(
      /^Cannot write .*tensorboard: a part of the path is a file, not a folder; choose another path\.$/,
    );
    await expect(TfEventsWriter.create(folder("absent/tensorboard"))).rejects.toThrow(
      "its folder does not exist",
    );
  });

  it.skipIf(process.platform === "win32")("leaves whole records when the disk is full", async () => {
    // A limit on the size of files stands in for a full disk: a write gets as far as it can, the next one fails.
    const script = join(here, "fill-disk.ts");
    const command = 'ulimit -f 8 && trap "" XFSZ && exec "$0" --import "$1" "$2" "$3"';
    const tsx = pathToFileURL(
      fileURLToPath(new URL("../../../node_modules/tsx/dist/loader.mjs", import.meta.url)),
    );
    const { stdout } = await run("bash", ["-c", command, process.execPath, tsx.href, script, folder("full")]);
    const { message, path, written } = JSON.parse(stdout) as Record<string, string> & { written: number };
    expect(message).toBe(
      `Cannot write ${path}: it would be larger than the file size limit; raise the limit or choose another path.`,
    );
    const file = await readFile(path);
    expect(file.length).toBeGreaterThan(7 * 1024);
    expect(
      readEvents(file)
        .slice(2)
        .map(({ step }) => Number(step)),
    ).toEqual(Array.from({ length: written }, (_, i) => i));
  });
});
