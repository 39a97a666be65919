import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import { decodeMask } from "../../src/data/mask.ts";
import { decodePhoto } from "../../src/data/photo.ts";
import type { ClassShare } from "../../src/masks/class-shares.ts";
import { maskFromLogits } from "../../src/masks/mask-from-logits.ts";
import type { Size } from "../../src/data/resize.ts";
import { loadModel } from "../../src/use/model.ts";
import type { OutputNames, OutputSink } from "../../src/use/output-sink.ts";
import type { PhotoToLabel } from "../../src/use/photo-to-label.ts";
import { DataError } from "../../src/data/data-error.ts";
import type { Model } from "../../src/use/model.ts";
import { FolderSink } from "../../src/use/folder-sink.ts";
import { outputNames } from "../../src/use/output-sink.ts";
import { photoFile } from "../../src/use/photo-to-label.ts";
import { predictPhotos } from "../../src/use/predict.ts";
import { Predictor } from "../../src/use/predictor.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { folderOf, photo } from "../data/folder.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { TINY_METADATA, tinyModel } from "../train/tiny-model.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

describe("predictPhotos", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();

  it.each([
    [2, "transpose"],
    [150, "nearest"],
    [256, "transpose"],
    [2, "bilinear"],
  ] as const)("writes the classes of a model of %i as they are, decoder %s", async (classes, decoder) => {
    const names = Array.from({ length: classes }, (_, label) => `thing ${label}, "of" ${classes}`);
    const modelFile = temporary(`${decoder}-${classes}.safetensors`);
    await writeSafetensors(modelFile, await tinyModel(gpu(), decoder, classes), {
      ...TINY_METADATA,
      decoder,
      classes: JSON.stringify(names),
    });
    const model = await loadModel(modelFile);
    expect(model.classNames).toEqual(names);
    const out = await folderOf();
    const from = photoFile(await writtenPhoto());
    const file = (name: keyof OutputNames): string => join(out, outputNames(from.stem)[name]);
    const predictor = await Predictor.create(gpu(), model, { batchSize: 1 });
    try {
      expect(await predictPhotos(predictor, [from], new FolderSink(out), { logits: true })).toMatchObject({
        ...{ labelled: 1, failed: 0 },
      });
      const given = await decodePhoto(from.photo);
      const [logits] = await predictor.scores([given]);
      const expected = maskFromLogits(logits, { width: 32, height: 32 }, classes, given);
      const { labels } = await decodeMask(file("mask"));
      expect(labels).toEqual(expected);
      const seen = new Set(labels);
      expect(seen.size).toBeGreaterThan(Math.min(classes - 1, 20));
      // A byte has room for them all, and the mask is not in colour.
      expect((await sharp(file("mask")).metadata()).space).toBe("b-w");
      if (classes > 128) expect(Math.max(...seen)).toBeGreaterThan(127);

      const report = JSON.parse(await readFile(file("shares"), "utf8")) as { classes: ClassShare[] };
      expect(report.classes.map(({ id }) => id).sort((a, b) => a - b)).toEqual(
        [...seen].sort((a, b) => a - b),
      );
      for (const { id, name, pixels, share } of report.classes) {
        expect(name).toBe(names[id]);
        expect(pixels).toBe(labels.filter((label) => label === id).length);
        expect(share).toBe(pixels / labels.length);
      }
      const { tensors, metadata } = await readSafetensors(file("logits"));
      expect(tensors.get("logits")!.shape).toEqual([32, 32, classes]);
      expect(JSON.parse(metadata.classes)).toEqual(names);
      // However long its legend.
      expect((await sharp(file("overlay")).metadata()).width).toBeGreaterThan(400);
    } finally {
      predictor.destroy();
    }
  });

  it("goes on without a photo that the labeller cannot take, and names it", async () => {
    const from = photoFile(await writtenPhoto());
    const said: [string, string][] = [];
    const labeller = {
      ...{ photosAtOnce: 1, view: "", bytes: 0, precision: "f32" as const, model: await smallModel() },
      problemOf: ({ height, width }: Size) => `is ${height}×${width}.`,
      label: () => Promise.reject(new Error("It was labelled nevertheless.")),
      destroy: () => {},
    };
    const sink = new FolderSink(await folderOf());
    const outcome = await predictPhotos(labeller, [from], sink, {
      onBad: ({ photo }, sentence) => void said.push([photo, sentence]),
    });
    expect(outcome).toMatchObject({ labelled: 0, failed: 1 });
    expect(said).toEqual([[from.photo, `${from.photo} is 44×60.`]]);
  });

  it("labels photos that come one by one from anywhere, into anything that keeps files", async () => {
    const encoded = await photo(60, 44).png().toBuffer();
    let asked = 0;
    async function* photos(): AsyncGenerator<PhotoToLabel> {
      for (const stem of ["a", "gone", "b", "torn", "c"]) {
        asked += 1;
        await Promise.resolve();
        yield {
          ...{ photo: `shop.tar/${stem}.png`, stem },
          read: () => {
            if (stem === "gone") return Promise.reject(new DataError("The server has no gone.png."));
            return Promise.resolve(stem === "torn" ? encoded.subarray(0, 60) : encoded);
          },
        };
      }
    }
    const files = new Map<string, Uint8Array>([["gone.json", new Uint8Array()]]);
    const sink: OutputSink = {
      put: (name, bytes) => Promise.resolve(void files.set(name, bytes)),
      remove: (name) => Promise.resolve(void files.delete(name)),
    };
    const predictor = await Predictor.create(gpu(), await smallModel(), { batchSize: 2 });
    const [done, said]: string[][] = [[], []];
    try {
      const outcome = await predictPhotos(predictor, photos(), sink, {
        onDone: ({ stem }) => void done.push(stem),
        onBad: (from, sentence) => void said.push(`${from.stem}: ${sentence}`),
      });
      expect(outcome).toMatchObject({ labelled: 3, failed: 2 });
    } finally {
      predictor.destroy();
    }
    expect(asked).toBe(5);
    expect(done).toEqual(["a", "b", "c"]);
    expect(said[0]).toBe("gone: The server has no gone.png.");
    expect(said[1]).toMatch(/^torn: The photo shop\.tar\/torn\.png cannot be decoded/);
    const expected = ["a", "b", "c"].flatMap((stem) => {
      const { mask, overlay, shares } = outputNames(stem);
      return [overlay, mask, shares];
    });
    // What an earlier time left of a photo that failed is that time's.
    expect([...files.keys()]).toEqual(["gone.json", ...expected]);
    expect(files.get("a.mask.png")).toEqual(files.get("c.mask.png"));
  });

  async function smallModel(): Promise<Model> {
    const file = temporary("small.safetensors");
    await writeSafetensors(file, await tinyModel(gpu(), "transpose", 2), {
      ...TINY_METADATA,
      decoder: "transpose",
      classes: JSON.stringify(["nothing", "something"]),
    });
    return loadModel(file);
  }

  async function writtenPhoto(): Promise<string> {
    const path = temporary("photo.png");
    await photo(60, 44).png().toFile(path);
    return path;
  }
});
