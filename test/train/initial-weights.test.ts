import { beforeAll, describe, expect, it, vi } from "vitest";
import { variableParts } from "../../src/graph/graph.ts";
import { seededRandom } from "../../src/graph/initializers.ts";
import { plan } from "../../src/graph/plan.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { Variables } from "../../src/graph/variables.ts";
import { checkInitialWeights, loadInitialWeights } from "../../src/train/initial-weights.ts";
import { evaluator } from "../../src/train/phase/programs.ts";
import type { Decoder } from "../../src/layers/networks/decoder.ts";
import type { TrainerOptions } from "../../src/train/trainer-options.ts";
import { writeSafetensors } from "../../src/weights/safetensors-file.ts";
import type { Metadata, NamedTensors } from "../../src/weights/tensors.ts";
import { temporaryFolder } from "../files/temporary-folder.ts";
import { useGpu } from "../helpers/gpu.ts";
import { paperTarget } from "../helpers/target.ts";

vi.mock(import("../../src/layers/unet.ts"), async (importOriginal) =>
  (await import("../helpers/small-network.ts")).smallUnet(importOriginal),
);

const NAMES = ["null", "hat", "coat"];
const some: Partial<TrainerOptions> = {
  ...{ batchSize: 1, imageSize: 32, classes: 3, classNames: NAMES, momentum: 0.9, decoder: "transpose" },
  normalization: "imagenet",
};
const options = some as TrainerOptions;
const NEW_HEAD = "its encoder and decoder are taken, and the head starts anew.";

/** Random weights of a network. */
function randomUnet(classes: number, decoder: Decoder): NamedTensors {
  const { variables } = plan(evaluator({ ...options, classes, decoder }), paperTarget);
  const random = seededRandom(classes, decoder);
  return new Map(
    variables
      .flatMap(variableParts)
      .map(({ name, shape }) => [
        name,
        { shape, data: Float32Array.from({ length: sizeOf(shape) }, random) },
      ]),
  );
}

describe("a run begins from weights", () => {
  const gpu = useGpu();
  const inFolder = temporaryFolder();
  let five: NamedTensors;
  let three: NamedTensors;
  beforeAll(() => {
    five = randomUnet(5, "transpose");
    three = randomUnet(3, "transpose");
  });

  async function file(tensors: NamedTensors, metadata: Metadata = {}): Promise<string> {
    const path = inFolder("w.safetensors");
    await writeSafetensors(path, tensors, metadata);
    return path;
  }
  const named = (...names: string[]): Metadata => ({ classes: JSON.stringify(names) });
  const check = (path: string, some: Partial<TrainerOptions> = {}) =>
    checkInitialWeights(path, { ...options, ...some }, paperTarget);
  const remarkOf = async (...of: Parameters<typeof file>) => (await check(await file(...of))).remark;

  it("of another number of classes: all but the head, which has its first values", async () => {
    const path = await file(five, named("a", "b", "c", "d", "e"));
    const { remark, values } = await check(path);
    expect(remark).toBe(`${path} tells 5 classes apart and the data has 3: ${NEW_HEAD}`);
    expect(values.size).toBe(five.size - 2);

    const variables = new Variables(gpu(), { seed: 11 });
    await variables.allocate(plan(evaluator(options), paperTarget).variables);
    const first = await variables.readAll((_, group) => group === "head");
    await loadInitialWeights(variables, path, options);
    const now = await variables.readAll();
    variables.destroy();
    expect([...first.keys()].sort()).toEqual(["head/bias", "head/kernel"]);
    expect(now.size).toBe(five.size);
    for (const [name, { data }] of now) {
      const from = first.get(name) ?? five.get(name)!;
      expect([name, Buffer.from(data.buffer).equals(Buffer.from(from.data.buffer))]).toEqual([name, true]);
    }
  });

  it("of the same classes, or of as many that have no names: whole", async () => {
    expect((await check(await file(three, named(...NAMES)))).values.size).toBe(three.size);
    for (const metadata of [named(...NAMES), {}, named("class 0", "class 1", "class 2")])
      expect(await remarkOf(three, metadata)).toBeNull();
    const unnamed = { classNames: ["class 0", "hat", "class 2"] };
    expect((await check(await file(three, named(...NAMES)), unnamed)).remark).toBeNull();
  });

  it("of as many classes with other names: all but the head", async () => {
    const path = await file(three, named("null", "coat", "hat"));
    const { remark, values } = await check(path);
    const order = `${path} has its classes in another order (class 1 is "coat" there and "hat" in the data)`;
    expect(remark).toBe(`${order}: ${NEW_HEAD}`);
    expect(values.has("head/kernel")).toBe(false);
    expect(await remarkOf(three, named("null", "hat", "road"))).toBe(
      `${path} calls class 2 "road" and the data calls it "coat": ${NEW_HEAD}`,
    );
    expect(await remarkOf(three, named("sky", "hat", "road"))).toContain(
      'calls class 0 "sky" and the data calls it "null", and 1 more of its 3 classes have other names:',
    );
  });

  it("of an encoder: the decoder and the head have their first values, and nothing is said", async () => {
    const encoder = new Map([...five].filter(([name]) => !/^(upsample_|head)/.test(name)));
    const { remark, values } = await check(await file(encoder, named("a", "b")));
    expect(remark).toBeNull();
    expect(values.size).toBe(encoder.size);
  });

  it("of a file that does not say whether it repeats pixels or interpolates: either", async () => {
    const tensors = randomUnet(3, "nearest");
    const taken = async (decoder: Decoder, metadata: Metadata) =>
      (await check(await file(tensors, metadata), { decoder })).values.size;
    expect(await taken("nearest", {})).toBe(three.size);
    expect(await taken("bilinear", {})).toBe(three.size);
    expect(await taken("bilinear", { decoder: "bilinear" })).toBe(three.size);
    await expect(taken("bilinear", { decoder: "nearest" })).rejects.toThrow(
      "is of a network with --decoder nearest, and this one has bilinear: give --decoder nearest.",
    );
    await expect(taken("nearest", { decoder: "bilinear" })).rejects.toThrow("give --decoder bilinear.");
    await expect(taken("transpose", {})).rejects.toThrow("give --decoder nearest.");
  });

  it("but not of anything else that does not fit", async () => {
    const without = (tensors: NamedTensors, name: string): NamedTensors =>
      new Map([...tensors].filter(([other]) => other !== name));
    const refused = async (tensors: NamedTensors, metadata: Metadata, sentence: string) =>
      expect(check(await file(tensors, metadata))).rejects.toThrow(sentence);
    await refused(
      randomUnet(5, "nearest"),
      {},
      "is of a network with --decoder nearest, and this one has transpose: give --decoder nearest.",
    );
    await refused(
      five,
      { normalization: "unit" },
      "is of a network whose photos had --normalization unit, and here they have imagenet: give --normalization unit.",
    );
    await refused(
      five,
      { encoder: "densenet169" },
      "is of a network with --encoder densenet169, and this one has densenet121: give --encoder densenet169, or weights of densenet121.",
    );
    await refused(
      without(five, "upsample_2/batch_normalization/gamma"),
      {},
      'has no tensor "upsample_2/batch_normalization/gamma" (expected shape [',
    );
    await refused(without(five, "head/kernel"), {}, 'has no tensor "head/kernel"');
    // A bias of five and a kernel of seven.
    const mixed = new Map([...five, ["head/kernel", randomUnet(7, "transpose").get("head/kernel")!]]);
    await refused(mixed, {}, 'its tensor "head/kernel" has shape [3, 3, 7, ');
    await refused(three, named("null", "hat"), "does not name its 3 classes, but 2");
  });
});
