import { readdir, stat, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { convertModel } from "../../src/cli/convert-model.ts";
import { loadModel } from "../../src/use/model.ts";
import { unetLayers } from "../../src/layers/networks/unet.ts";
import { loadWeights } from "../../src/weights/load.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors-file.ts";
import type { NamedTensors } from "../../src/weights/tensors.ts";
import { numbersFor } from "../weights/keras-models.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { runCommandLine } from "./command-process.ts";

const inFolder = temporaryFolder();
const CLASSES = ["null", "hat", "coat"];
let numbers: NamedTensors;
let model: string;
beforeAll(async () => {
  numbers = numbersFor(unetLayers({ classes: 3, decoder: "nearest" }));
  model = inFolder("model.safetensors");
  // The tutorial's own names for some of it.
  const renamed = new Map(
    [...numbers].map(([name, tensor]) => [
      name.replace(/^upsample_1\//, "sequential/").replace(/^head\//, "conv2d_4/"),
      tensor,
    ]),
  );
  // A name that a terminal would obey.
  renamed.set("\u001B[2Jstep", { shape: [], data: Int32Array.of(7) });
  await writeSafetensors(model, renamed, { normalization: "imagenet" });
  await writeFile(inFolder("classes.txt"), CLASSES.join("\n"));
});

async function convert(to: string, options: Parameters<typeof convertModel>[2] = {}): Promise<string[]> {
  const lines: string[] = [];
  await convertModel(model, inFolder(to), options, (line) => void lines.push(line));
  return lines;
}

describe("convertModel", () => {
  it("brings a model under our names, with what is said of it, and tells what became of it", async () => {
    const out = inFolder("out.safetensors");
    const lines = await convert("out.safetensors", {
      classes: inFolder("classes.txt"),
      imageSize: 64,
      verbose: true,
    });
    const { tensors, metadata } = await readSafetensors(out);
    expect(metadata).toEqual({
      normalization: "imagenet",
      decoder: "nearest",
      encoder: "densenet121",
      image_size: "64",
      classes: JSON.stringify(CLASSES),
    });
    expect([...tensors.keys()].sort()).toEqual([...numbers.keys()].sort());
    for (const [name, { data }] of numbers) {
      expect(Buffer.from(tensors.get(name)!.data.buffer).equals(Buffer.from(data.buffer)), name).toBe(true);
    }
    expect(lines[0]).toBe(`${model} (safetensors): a U-Net of 3 classes on DenseNet121, 619 kept, 7 renamed`);
    expect(lines).toContain("  conv2d_4/kernel → head/kernel [3, 3, 128, 3] renamed");
    expect(lines).toContain("  bn/gamma → bn/gamma [1024] kept");
    expect(lines.slice(-2)).toEqual(["Not used: 1 weight (?[2Jstep)", `Written: ${out}`]);
  });

  it("reads what --model takes as it is, and then asks for the image size", async () => {
    await expect(loadModel(model)).rejects.toThrow("give it with --image-size");
    expect(await loadModel(model, { imageSize: 64 })).toMatchObject({
      classNames: ["class 0", "class 1", "class 2"],
      decoder: "nearest",
      normalization: "imagenet",
    });
  });

  it("replaces nothing unless told, and leaves nothing behind", async () => {
    await writeFile(inFolder("mine.safetensors"), "mine");
    const before = await readdir(inFolder("."));
    await expect(convert("mine.safetensors")).rejects.toThrow("replace it with --force");
    await expect(convert("x.safetensors", { imageSize: 50 })).rejects.toThrow("give a multiple of 32");
    await expect(convert("x.bin")).rejects.toThrow("Cannot tell in what format to write");
    await expect(convert("x.onnx/y.safetensors")).rejects.toThrow("its folder does not exist");
    expect(await readdir(inFolder("."))).toEqual(before);
    expect((await stat(inFolder("mine.safetensors"))).size).toBe(4);
    await convert("mine.safetensors", { force: true });
    expect((await loadWeights(inFolder("mine.safetensors"))).tensors.size).toBe(626);
  });

  it("wants a name for each class", async () => {
    await writeFile(inFolder("two.txt"), "null\nhat\n");
    await expect(convert("y.safetensors", { classes: inFolder("two.txt") })).rejects.toThrow(
      "names 2 classes and the network has 3, class 2 for one: name each of them",
    );
    await writeFile(inFolder("four.csv"), "3,bag\n0,null\n");
    await expect(convert("y.safetensors", { classes: inFolder("four.csv") })).rejects.toThrow(
      "four.csv, line 1, names class 3 and the network has 3, 0 to 2",
    );
    const wrong = inFolder("wrong.safetensors");
    await writeSafetensors(wrong, numbers, { classes: '["null"]' });
    const to = inFolder("renamed.safetensors");
    await expect(convertModel(wrong, to, {}, () => {})).rejects.toThrow("does not name its 3 classes, but 1");
    await writeFile(inFolder("order.csv"), "label;name\r2;coat\r0;null\r1;hat\r");
    await convertModel(wrong, to, { classes: inFolder("order.csv") }, () => {});
    expect((await readSafetensors(to)).metadata.classes).toBe(JSON.stringify(CLASSES));
    await expect(convert("y.safetensors", { classes: inFolder("none.txt") })).rejects.toThrow(
      "check the path",
    );
  });
});

describe("npm run convert", () => {
  it("says in one sentence what is wrong", async () => {
    await writeFile(inFolder("text.keras"), "PK\x03\x04");
    const { code, errors } = await runCommandLine("convert", [
      inFolder("text.keras"),
      inFolder("z.safetensors"),
    ]);
    expect(code).toBe(1);
    expect(errors).toMatch(/^Cannot read .*text\.keras as a zip archive: .+\.\n$/);
  });

  it("writes nothing after Ctrl-C, and leaves nothing behind", async () => {
    const before = await readdir(inFolder("."));
    let interrupted = false;
    const { code, output, errors } = await runCommandLine("convert", [model, inFolder("stopped.h5")], {
      onOutput: (said, kill) => {
        if (interrupted || !said.includes("a U-Net of 3 classes")) return;
        interrupted = true;
        kill("SIGINT");
      },
    });
    expect(code).toBe(130);
    expect(errors).toContain("Stopping; press Ctrl-C again");
    expect(output).toMatch(/Stopped: nothing was written\.\n$/);
    expect(await readdir(inFolder("."))).toEqual(before);
  });
});
