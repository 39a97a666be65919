import { afterEach, beforeAll, describe, expect, it } from "vitest";
import sharp from "sharp";
import { serveDemo } from "../../src/ui/serve-demo.ts";
import type { DemoServer, ServeDemoOptions } from "../../src/ui/serve-demo.ts";
import type { ModelDescription, SamplePhoto } from "../../src/ui/demo/model-description.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import { parseSafetensors } from "../../src/weights/safetensors.ts";
import type { NamedTensors } from "../../src/weights/tensors.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { untrainedWeights } from "./demo/small-model.ts";

const CLASSES = ["null", "hat", "coat"];

describe("serveDemo", () => {
  const temporary = temporaryFolder();
  const metadata = {
    image_size: "64",
    classes: JSON.stringify(CLASSES),
    decoder: "nearest",
    normalization: "imagenet",
  };
  let file: string;
  let weights: NamedTensors;
  let server: DemoServer | null = null;
  beforeAll(async () => {
    weights = untrainedWeights(CLASSES.length, "nearest");
    file = temporary("trained.safetensors");
    const slot = { shape: [3], data: new Float32Array(3) };
    await writeSafetensors(file, new Map([...weights, ["head/bias/rmsprop_frozen", slot]]), metadata);
  });
  afterEach(async () => {
    await server?.close();
    server = null;
  });
  async function serve(options: Partial<ServeDemoOptions> = {}): Promise<DemoServer> {
    server = await serveDemo({ model: file, port: 0, ...options });
    return server;
  }

  it.each(["letterbox", "short-side"])("says how photos are resized (%s)", async (resize) => {
    const model = temporary(`${resize}.safetensors`);
    await writeSafetensors(model, weights, { ...metadata, resize });
    expect((await serve({ model })).model.resize).toBe(resize);
  });

  it("hands out the model: what it is, and its weights without the optimizer's slots", async () => {
    const { url } = await serve();
    const model = (await (await fetch(`${url}model.json`)).json()) as ModelDescription;
    const response = await fetch(`${url}model.safetensors`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(model).toEqual({
      name: "trained.safetensors",
      imageSize: { height: 64, width: 64 },
      resize: "stretch",
      classNames: CLASSES,
      decoder: "nearest",
      encoder: "densenet121",
      normalization: "imagenet",
      precision: "f32",
      weightBytes: bytes.byteLength,
    });
    expect(response.headers.get("content-length")).toBe(String(bytes.byteLength));
    expect(parseSafetensors(bytes).tensors.size).toBe(weights.size);
    expect(parseSafetensors(bytes).tensors.get("head/bias")).toEqual(weights.get("head/bias"));
    await server!.close();
    const imageSize = { height: 96, width: 64 };
    expect((await serve({ imageSize })).model.imageSize).toEqual(imageSize);
  });

  it("serves a page that may load nothing from elsewhere, and drawn photos", async () => {
    const { url } = await serve();
    const page = await fetch(url);
    expect(await page.text()).toContain("<title>bespoke: label a photo</title>");
    expect(page.headers.get("content-security-policy")).toMatch(/^default-src 'none'; script-src 'self'; /);
    for (const path of ["page.js", "page.css", "icon.svg", "fonts/inter-600.woff2"]) {
      expect((await fetch(url + path)).status).toBe(200);
    }
    const samples = (await (await fetch(`${url}samples.json`)).json()) as SamplePhoto[];
    expect(samples.length).toBeGreaterThanOrEqual(3);
    const png = Buffer.from(await (await fetch(new URL(samples[0].path, url))).arrayBuffer());
    expect(await sharp(png).metadata()).toMatchObject({ format: "png", width: 320, height: 480 });
    for (const path of ["samples/99.png", "config.json", "../package.json"]) {
      expect((await fetch(url + path)).status).toBe(404);
    }
    expect((await fetch(`${url}model.json`, { method: "POST" })).status).toBe(405);
  });

  it("refuses a model that is none, or another network, in a sentence", async () => {
    await expect(serve({ model: "nowhere" })).rejects.toThrow(/There is no model nowhere/);
    const fewer = new Map(weights);
    fewer.delete("upsample_2/batch_normalization/gamma");
    const other = temporary("other.safetensors");
    await writeSafetensors(other, fewer, metadata);
    await expect(serve({ model: other })).rejects.toThrow(
      /has no tensor "upsample_2\/batch_normalization\/gamma"/,
    );
    await expect(serve({ imageSize: 50 })).rejects.toThrow(/multiple of 32/);
  });
});
