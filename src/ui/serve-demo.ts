import type { ServerResponse } from "node:http";
import { basename, dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GeneratedDataset } from "../data/generated-dataset.ts";
import type { ImageSize } from "../image-size.ts";
import { sharp } from "../data/sharp.ts";
import { loadModel } from "../use/model.ts";
import type { Model } from "../use/model.ts";
import { unetLayers } from "../layers/networks/unet.ts";
import { assignWeights, loadWeights } from "../weights/load.ts";
import { safetensorsChunks } from "../weights/safetensors.ts";
import { MODEL_PATH, SAMPLES_PATH, WEIGHTS_PATH } from "./demo/model-description.ts";
import type { ModelDescription, SamplePhoto } from "./demo/model-description.ts";
import { listenOnLoopback } from "./http-server.ts";
import { pageFiles } from "./page-files.ts";

export interface ServeDemoOptions {
  /** The folder of a run, its name, or a file of weights, as `loadModel` takes it. */
  readonly model: string;
  /** Another size than the one that the model was trained at. */
  readonly imageSize?: ImageSize;
  /** 0 for any free one; without it the first free one from 4650. */
  readonly port?: number;
  /** Whether the page keeps the process from ending; not by default. */
  readonly keepAlive?: boolean;
}

export interface DemoServer {
  readonly url: string;
  readonly model: ModelDescription;
  readonly close: () => Promise<void>;
}

/** Drawn people to try the model on: how many, and how large (street photos are two thirds as wide as high). */
const SAMPLES = 4;
const SAMPLE_SIZE = { width: 320, height: 480 };
/** Of the drawings; another than that of training, which has 0. */
const SAMPLE_SEED = 41;

/**
 * Serves, at `http://127.0.0.1:<port>/`, a page that labels photos with a trained model in the browser: the page's files,
 * the model's weights without what belongs to its training, and drawn photos. Nothing comes back from the page.
 *
 * @throws ModelError or WeightsError when there is no such model or it is not this network; UiError when the port cannot be
 *   had.
 */
export async function serveDemo(options: ServeDemoOptions): Promise<DemoServer> {
  const { imageSize, port, keepAlive } = options;
  const found = await loadModel(options.model, { imageSize });
  const { description, chunks } = await weightsOf(found);
  const files = await pageFiles("demo");
  const samples = new SampleFiles();

  const handle = async (path: string, response: ServerResponse): Promise<boolean> => {
    if (path === WEIGHTS_PATH) {
      response.writeHead(200, {
        "Content-Type": "application/octet-stream",
        "Content-Length": description.weightBytes,
      });
      // A page that is closed meanwhile is no failure.
      await pipeline(Readable.from(chunks), response).catch(() => undefined);
      return true;
    }
    const json = { [MODEL_PATH]: description, [SAMPLES_PATH]: samples.list }[path];
    const drawn = await samples.read(path);
    const file = json
      ? { type: "application/json", body: JSON.stringify(json) }
      : drawn
        ? { type: "image/png", body: drawn }
        : files.get(path);
    if (!file) return false;
    response.writeHead(200, { "Content-Type": file.type }).end(file.body);
    return true;
  };
  const server = await listenOnLoopback(handle, { port, keepAlive });
  return { url: server.url, model: description, close: () => server.close() };
}

/** The weights of the network alone, as the pieces of a safetensors file. */
async function weightsOf(
  model: Model,
): Promise<{ description: ModelDescription; chunks: readonly Uint8Array[] }> {
  const { file, imageSize, resize, classNames, encoder, decoder, normalization, precision } = model;
  const expected = unetLayers({ classes: classNames.length, encoder, decoder }).flatMap(
    ({ weights }) => weights,
  );
  const { tensors } = await loadWeights(file);
  const { assigned } = assignWeights(expected, tensors, { source: file });
  const chunks = [...safetensorsChunks(assigned, {})];
  const weightBytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const name = model.run === null ? basename(file) : basename(dirname(dirname(file)));
  return {
    description: {
      ...{ name, imageSize, resize, classNames, encoder: encoder.name, decoder, normalization, precision },
      weightBytes,
    },
    chunks,
  };
}

/** Drawn photos as PNGs, each made when it is first asked for. */
class SampleFiles {
  readonly list: readonly SamplePhoto[] = Array.from({ length: SAMPLES }, (_, i) => ({
    path: `/samples/${i + 1}.png`,
    label: `Drawn person ${i + 1}`,
  }));
  readonly #people = new GeneratedDataset({
    size: SAMPLES,
    imageSize: SAMPLE_SIZE,
    seed: SAMPLE_SEED,
  });
  readonly #made = new Map<string, Promise<Buffer>>();

  async read(path: string): Promise<Buffer | null> {
    const index = this.list.findIndex((sample) => sample.path === path);
    if (index < 0) return null;
    const png = this.#made.get(path) ?? this.#draw(index);
    this.#made.set(path, png);
    return png;
  }

  async #draw(index: number): Promise<Buffer> {
    const { image } = await this.#people.load(index);
    const bytes = Uint8Array.from(image, (value) => Math.round(255 * value));
    return sharp(bytes, { raw: { ...SAMPLE_SIZE, channels: 3 } })
      .png()
      .toBuffer();
  }
}
