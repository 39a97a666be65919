import { expect, test, vi } from "vitest";
import { decodePhoto } from "../../src/data/photo.ts";
import { OutputThreads } from "../../src/use/output-threads.ts";
import { makeOutputs } from "../../src/use/outputs.ts";
import type { OutputsJob } from "../../src/use/outputs.ts";
import { photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";

const temporary = temporaryFolder();

async function job(): Promise<OutputsJob> {
  const path = temporary("photo.png");
  await photo(60, 44).toFile(path);
  const size = { width: 8, height: 6 };
  // A part of an array, as each photo of a batch has it; and the logits are the scores.
  const batch = Float32Array.from({ length: 3 * 8 * 6 * 4 }, (_, i) => Math.sin(i * 12.9898));
  const scores = batch.subarray(8 * 6 * 4, 2 * 8 * 6 * 4);
  return {
    photo: await decodePhoto(path),
    labels: { scores, size },
    logits: { values: scores, size },
    classNames: ["null", "a", "b", "c"],
    wanted: { kinds: ["mask", "overlay", "json"], maskPng: "grey", geoJson: true, coco: true },
    report: { photo: "photo.png", model: "m" },
  };
}

test("a thread makes the bytes that the main thread does, and takes nothing away from it", async () => {
  const given = await job();
  const before = new Float32Array((given.labels as { scores: Float32Array }).scores);
  const expected = await makeOutputs(given);
  expect(expected.files.map(([name]) => name)).toEqual(["logits", "overlay", "mask", "geoJson", "shares"]);
  const threads = new OutputThreads();
  const bytes = (outputs: Awaited<ReturnType<typeof makeOutputs>>): unknown =>
    outputs.files.map(([name, own]) => [name, Buffer.from(own).toString("base64")]);
  // None is started: it is made here.
  expect(bytes(await threads.make(given))).toEqual(bytes(expected));
  threads.start();
  try {
    await vi.waitFor(() => expect(threads.ready).toBe(true), { timeout: 30_000, interval: 50 });
    const made = await threads.make(given);
    expect(bytes(made)).toEqual(bytes(expected));
    expect(made.shares).toEqual(expected.shares);
    expect(made.areas).toEqual(expected.areas);
    expect((given.labels as { scores: Float32Array }).scores).toEqual(before);
    expect(given.photo.pixels).toHaveLength(60 * 44 * 3);
    await expect(threads.make({ ...given, wanted: null as never })).rejects.toThrow(TypeError);
  } finally {
    await threads.close();
  }
});

test("makes the files that are wanted, and no others", async () => {
  const given = await job();
  const made = await makeOutputs({
    ...given,
    logits: null,
    wanted: { kinds: ["json"], maskPng: "grey", geoJson: false, coco: false },
  });
  expect(made.files.map(([name]) => name)).toEqual(["shares"]);
  expect(made.areas).toBeNull();
  const report = JSON.parse(Buffer.from(made.files[0][1]).toString()) as Record<string, unknown>;
  expect(Object.keys(report)).toEqual(["photo", "width", "height", "model", "classes"]);
});
