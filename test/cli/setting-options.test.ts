import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { addSettingOptions, saidOnCommandLine } from "../../src/cli/setting-options.ts";
import { resolveConfig, schema, SETTING_NAMES } from "../../src/config/index.ts";
import type { Said } from "../../src/config/index.ts";

function said(...args: string[]): Said {
  const command = new Command();
  addSettingOptions(command);
  command.parse(args, { from: "user" });
  return saidOnCommandLine(command);
}

describe("flags of settings", () => {
  it("say nothing of themselves, so that they can be laid over others", () =>
    expect(said()).toStrictEqual({}));

  it("read numbers, names, lists and switches", () => {
    expect(
      said("--batch-size", "8", "--decoder", "nearest", "--augment", "hue, crop", "--time", "30m"),
    ).toEqual({
      batchSize: 8,
      decoder: "nearest",
      augment: ["hue", "crop"],
      time: "30m",
    });
    expect(said("--overfit-batch", "--no-tensorboard")).toEqual({ overfitBatch: true, tensorboard: false });
  });

  it("read a file where it is none of the names", () => {
    expect(said("--class-weights", "balanced")).toEqual({ classWeights: "balanced" });
    expect(said("--class-weights", "none")).toEqual({ classWeights: "none" });
    expect(said("--class-weights", "mine.csv")).toEqual({ classWeights: "mine.csv" });
  });

  it("read none as null wherever a setting may be none", () => {
    const nullable = SETTING_NAMES.filter((name) => schema.shape[name].safeParse(null).success);
    expect(nullable).toContain("data");
    for (const name of nullable) {
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      const only = said(flag, "none");
      expect(only).toEqual({ [name]: null });
      expect(resolveConfig([{ file: null, said: only }], "lavapipe")[name]).toBeNull();
    }
  });

  it("say off in two ways", () => {
    expect(said("--tune", "on")).toEqual({ tune: "on" });
    expect(said("--no-tune")).toEqual(said("--tune", "off"));
    expect(resolveConfig([{ file: null, said: said("--no-tune") }], "hardware").tune).toBe("off");
    expect(resolveConfig([], "hardware").tune).toBe("auto");
  });

  it("leave what cannot be read to the schema's message", () => {
    expect(said("--batch-size", "many")).toEqual({ batchSize: "many" });
    expect(() => resolveConfig([{ file: null, said: said("--batch-size", "none") }], "lavapipe")).toThrow(
      '--batch-size must be a number (it is "none").',
    );
  });

  it.each([
    [["--batch-size", "0"], /^--batch-size must be at least 1/],
    [
      ["--augment", "hue,blur"],
      /^--augment knows no augmentation "blur" \(gaussian_blur, perhaps\): the names are .*\(it is \["hue","blur"\]\)\.$/,
    ],
    [
      ["--accumulate", "3", "--batch-size", "4"],
      /^--accumulate cuts a batch into equal parts, and --batch-size 4 is no multiple of 3/,
    ],
    [["--time", "soon"], /^--time must be a time/],
  ] as const)("that cannot be used are told of in a sentence (%j)", (args, sentence) => {
    expect(() => resolveConfig([{ file: null, said: said(...args) }], "lavapipe")).toThrow(sentence);
  });
});
