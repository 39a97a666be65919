/**
 * @file Every encoder in files that Keras itself wrote, made by keras_encoders.py in the folder at BESPOKE_PEER_MODELS, and in
 * files that the Pythons of BESPOKE_KERAS read: all of them predict alike, here and there.
 */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { compile } from "../../../src/graph/compile.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { buildLayers } from "../../../src/layers/networks/build.ts";
import type { Encoder } from "../../../src/layers/networks/encoder.ts";
import { encoderNamed, ENCODERS } from "../../../src/layers/networks/encoders.ts";
import { INPUT, type Layer } from "../../../src/layers/networks/layer.ts";
import { skipLayers, unetLayers } from "../../../src/layers/networks/unet.ts";
import { loadWeights } from "../../../src/weights/load.ts";
import { writeModel } from "../../../src/weights/write.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { drawnPhotos, drawnVariables } from "../../layers/networks/drawn.ts";
import { kerasFixture } from "../../layers/networks/keras-fixture.ts";
import { relativeError } from "../../parity/row.ts";
import { checksums } from "../random-network.ts";
import { readFloats } from "./floats.ts";

const CLASSES = 5;
const LIMIT = 1e-4;

interface Listed {
  readonly encoder: string;
  readonly size: number;
  readonly taps: readonly string[];
  readonly files: readonly string[];
}

const { BESPOKE_PEER_MODELS: folder = "", BESPOKE_KERAS = "" } = process.env;
const listings =
  folder === "" || !existsSync(folder)
    ? []
    : readdirSync(folder).filter((name) => /^encoders-.*\.json$/.test(name));
if (listings.length === 0) {
  console.log(
    "Encoders of Keras are not read: BESPOKE_PEER_MODELS names no folder made by test/weights/peers/keras_encoders.py.",
  );
}
const pythons = BESPOKE_KERAS.split(delimiter).filter((path) => path !== "");
if (pythons.length === 0) {
  console.log("Encoders of ours are not read by Keras: BESPOKE_KERAS names no Python that has it.");
}

const gpu = useGpu();

type Values = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

/** What layers make of the drawn photo. */
async function predict(
  layers: readonly Layer[],
  values: Values,
  { encoder, size, outputs }: { encoder: Encoder; size: number; outputs: readonly string[] },
): Promise<Record<string, Float32Array>> {
  const graph = new Graph();
  const image = graph.input("image", [1, size, size, 3]);
  const mode = { training: false, trainable: (): boolean => false };
  const tensors = buildLayers(layers, { [INPUT]: image }, { outputs, ...mode });
  const variables = new Variables(gpu(), {
    values: values as Iterable<[string, { shape: readonly number[]; data: Float32Array }]>,
  });
  const program = await compile(gpu(), { outputs: tensors, variables });
  try {
    return (await program.run({
      image: drawnPhotos(size, { inside: encoder.preprocessing === "inside" }),
    })) as Record<string, Float32Array>;
  } finally {
    program.destroy();
    variables.destroy();
  }
}

describe.each(listings)("%s", (name) => {
  const listed = JSON.parse(readFileSync(join(folder, name), "utf8")) as Listed[];

  test.each(listed)("$encoder: the weights are those that were drawn, and predict the same", async (each) => {
    const encoder = encoderNamed(each.encoder);
    const { gain } = await kerasFixture(encoder);
    // A model that ends at the taps does not have what follows them; a layer that normalizes photos may be there besides.
    const [whole, tapped] = [encoder.layers(), skipLayers(encoder)].map((layers) =>
      checksums(new Map(drawnVariables(layers, gain))),
    );
    for (const file of each.files) {
      const loaded = await loadWeights(join(folder, file));
      expect(loaded.encoder?.name, file).toBe(encoder.name);
      expect(checksums(loaded.tensors), file).toMatchObject(file.includes("-tapped-") ? tapped : whole);
    }
    const layers = encoder.layers();
    const { tensors } = await loadWeights(join(folder, each.files[0]));
    const taps = await predict(layers, tensors as Values, {
      ...{ encoder, size: each.size },
      outputs: encoder.taps,
    });
    const errors = encoder.taps.map((tap, i) =>
      relativeError(taps[tap], readFloats(join(folder, each.taps[i]))),
    );
    console.log(
      `${name}: ${each.files.length} files of ${encoder.title}; taps within ${worst(errors)} of the largest`,
    );
    for (const error of errors) expect(error).toBeLessThan(LIMIT);
  });
});

describe.skipIf(pythons.length === 0)("Keras predicts with files of ours what we do:", () => {
  test.each(ENCODERS.map((each) => [each.title, each] as const))(
    "%s and its U-Net",
    async (title, encoder) => {
      const { gain, outputs: sizes } = await kerasFixture(encoder);
      const size = Number(Object.keys(sizes)[0]);
      const layers = unetLayers({ encoder, classes: CLASSES, decoder: "transpose" });
      const [whole, alone] = [layers, encoder.layers()].map((each) => new Map(drawnVariables(each, gain)));
      const outputs = [...encoder.taps, "head"];
      const results = await predict(layers, whole, { encoder, size, outputs });
      const written = await mkdtemp(join(tmpdir(), "bespoke-keras-"));
      try {
        await writeModel(join(written, "unet.h5"), { tensors: whole, metadata: {} });
        await writeModel(join(written, "encoder.h5"), { tensors: alone, metadata: {} });
        for (const [i, output] of outputs.entries())
          await writeFile(join(written, output === "head" ? "logits.f32" : `tap${i}.f32`), results[output]);
        const network = { encoder: encoder.name, size, classes: CLASSES, decoder: "transpose" };
        await writeFile(join(written, "network.json"), JSON.stringify(network));
        for (const python of pythons) {
          const { keras, errors } = await readByKeras(python, written);
          console.log(`Keras ${keras} with ${title}: within ${worst(Object.values(errors))} of the largest`);
          expect(Object.keys(errors)).toEqual([...encoder.taps, "logits"]);
          for (const [output, error] of Object.entries(errors)) expect(error, output).toBeLessThan(LIMIT);
        }
      } finally {
        await rm(written, { recursive: true });
      }
    },
  );
});

async function readByKeras(
  python: string,
  written: string,
): Promise<{ keras: string; errors: Record<string, number> }> {
  const script = fileURLToPath(new URL("keras_encoders.py", import.meta.url));
  const { stdout } = await promisify(execFile)(python, [script, "read", written]);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as { keras: string; errors: Record<string, number> };
}

const worst = (errors: readonly number[]): string => Math.max(...errors).toExponential(1);
