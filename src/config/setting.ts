import { z } from "zod";
import { parseSize, printSize } from "../image-size.ts";
import type { WrittenSize } from "../image-size.ts";

/** A setting that cannot be used; the message is one sentence for the user. */
export class ConfigError extends Error {
  /** Always `ConfigError`. */
  override readonly name = "ConfigError";
}

/** What a setting is for a person: its flag, where the documentation lists it, and what it does. */
export interface SettingDescription {
  /** As on the command line, without a value: `--image-size`. */
  readonly flag: string;
  /** What stands for the value in help texts, `PIXELS`; empty for a switch. */
  readonly value: string;
  readonly group: SettingGroup;
  readonly summary: string;
}

export const GROUPS = ["Data", "Network", "Optimization", "Length of the run", "Run"] as const;
export type SettingGroup = (typeof GROUPS)[number];

/** The descriptions of all settings, by their zod type. */
export const descriptions = z.registry<SettingDescription>();

/** Describes a setting. `usage`: the flag and what stands for its value, `--image-size PIXELS`. */
export function setting<Type extends z.ZodType>(
  usage: string,
  group: SettingGroup,
  summary: string,
  type: Type,
): Type {
  const [flag, value = ""] = usage.split(" ");
  descriptions.add(type, { flag, value, group, summary });
  return type;
}

/** A whole number of at least `least`. */
export const whole = (least: number): z.ZodNumber =>
  z
    .number({ error: "must be a number" })
    .int("must be a whole number")
    .min(least, `must be at least ${least}`);

/** A number above 0 and at most 1. */
export const rate = (): z.ZodNumber =>
  z.number({ error: "must be a number" }).gt(0, "must be above 0").max(1, "must be at most 1");

export const choice = <const Names extends readonly string[]>(
  names: Names,
): z.ZodEnum<{ [Name in Names[number]]: Name }> =>
  z.enum(names, { error: `must be one of ${names.join(", ")}` });

export const text = (): z.ZodString => z.string({ error: "must be a text" }).min(1, "must not be empty");

export const toggle = (): z.ZodBoolean => z.boolean({ error: "must be true or false" });

/** Seconds, written as a number or as `45s`, `30m`, `1.5h`. */
export const duration = (): z.ZodType<number> =>
  z.preprocess(
    (value) => (typeof value === "string" ? parseDuration(value) : value),
    z.number({ error: 'must be a time, such as "45s", "30m" or "1.5h"' }).gt(0, "must be above 0"),
  );

/** Sides of photos, each a multiple of 32: a number for a square, or `96x64` and `96×64`, height by width. */
export const imageSize = (): z.ZodType<WrittenSize> =>
  z.unknown().transform((said, context) => {
    const size = typeof said === "number" || typeof said === "string" ? parseSize(said) : null;
    const sides = size === null ? [] : [size.height, size.width];
    if (size !== null && sides.every((side) => side >= 32 && side % 32 === 0)) return printSize(size);
    const message =
      size === null
        ? "must be a number of pixels, or height by width, such as 96x64"
        : sides.some((side) => side < 32)
          ? "must be at least 32"
          : "must be a multiple of 32, because the encoder halves a photo five times: 128 or 96x64, for example";
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

/** A range above 0, written `0.5..2`. */
export const range = (): z.ZodType<string> =>
  z.unknown().transform((said, context) => {
    const [least, most] = typeof said === "string" ? parseRange(said) : [NaN, NaN];
    if (least > 0 && most >= least) return `${least}..${most}`;
    const message = Number.isNaN(least + most)
      ? "must be a range, such as 0.5..2"
      : "must be a range of numbers above 0, the smaller one first, such as 0.5..2";
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

/** The two ends of a range; NaN where it is none. */
export function parseRange(text: string): [number, number] {
  const [least, most, ...more] = text.split("..").map((end) => (end.trim() === "" ? NaN : Number(end)));
  return more.length > 0 ? [NaN, NaN] : [least, most ?? NaN];
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

function parseDuration(text: string): number | string {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*$/.exec(text) ?? [];
  return digits === undefined ? text : Number(digits) * SECONDS[unit || "s"];
}
