import { expect, it } from "vitest";
import { IGNORED_LABEL } from "../../src/data/batch.ts";
import { trainingBatches } from "../../src/data/batches.ts";
import { resolveConfig } from "../../src/config/index.ts";
import type { Said } from "../../src/config/index.ts";
import { openData } from "../../src/train/run-data.ts";
import type { RunData } from "../../src/train/run-data.ts";
import { evaluatorSpec } from "../../src/train/phase/validation.ts";
import { dataPictures } from "../../src/train/pictures.ts";
import { trainerOptions } from "../../src/train/trainer-options.ts";

const configOf = (said: Said) =>
  resolveConfig([{ file: null, said: { imageSize: 32, ...said } }], "lavapipe");
const dataOf = (said: Said): Promise<RunData> => openData(configOf(said), () => {});

it("what comes in from beyond a photo's borders does not count in training, and all pixels do in validation", async () => {
  const said = { augment: ["strong"], batchSize: 8 };
  const data = await dataOf(said);
  expect(trainerOptions(configOf(said), data).ignores).toBe(true);
  expect([data.training.ignores, data.photos.ignores, data.validation.ignores]).toEqual([true, false, false]);
  const stream = trainingBatches(data.training, { batchSize: 8, seed: 0, augment: data.augment });
  const { labels } = (await stream.next()).value!;
  await stream.return();
  expect(labels.includes(IGNORED_LABEL)).toBe(true);
  expect(labels.every((label) => label < data.photos.classNames.length || label === IGNORED_LABEL)).toBe(
    true,
  );
});

it("all pixels count where nothing comes in from beyond", async () => {
  for (const augment of [["article"], ["jpeg", "random_resized_crop", "classmix"], null]) {
    expect(trainerOptions(configOf({ augment }), await dataOf({ augment })).ignores).toBe(false);
  }
});

it("trains on crops and validates on whole photos, and caches no features of what never comes again", async () => {
  const optionsOf = async (said: Said) => {
    const all = { imageSize: "64x32", cacheFeatures: true, ...said };
    return trainerOptions(configOf(all), await dataOf(all));
  };
  const whole = { height: 64, width: 32 };
  const crop = await optionsOf({ crop: 32 });
  expect(crop).toMatchObject({
    ...{ imageSize: { height: 32, width: 32 }, validationSize: whole, cacheFeatures: false },
    ignores: false,
  });
  expect(evaluatorSpec(crop).imageSize).toEqual(whole);
  expect((await optionsOf({ crop: 32, scale: "0.9..1" })).ignores).toBe(true);
  expect((await optionsOf({ crop: 32, augment: ["article"] })).ignores).toBe(false);
  expect(await optionsOf({})).toMatchObject({ imageSize: whole, cacheFeatures: true });
  // A batch to be learned by heart is always the same.
  expect((await optionsOf({ crop: 32, overfitBatch: true })).imageSize).toEqual(whole);
});

it("copies are made of the tutorial's augmentations as ever", async () => {
  const { training, photos } = await dataOf({ augment: ["article"] });
  expect(training.size).toBe(7 * photos.size);
});

it("every augmentation of a run is on its picture", async () => {
  const said = { augment: ["affine", "cutmix", "jpeg"] };
  const { augmentations } = await dataPictures(await dataOf(said), configOf(said));
  const { augmentations: fewer } = await dataPictures(
    await dataOf({ augment: ["jpeg"] }),
    configOf({ augment: ["jpeg"] }),
  );
  expect(augmentations!.length).toBeGreaterThan(fewer!.length);
});
