import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** The weights of Inter that figures and pages are set in. */
export const FONT_WEIGHTS = [400, 600] as const;
export type FontWeight = (typeof FONT_WEIGHTS)[number];

/** A weight's file, by its name in the package `@fontsource/inter`. */
export const fontFile = (weight: FontWeight): string => `inter-latin-${weight}-normal.woff2`;

/** Inter's Latin letters as WOFF2: in the installed package from beside this file, in the checkout from its module. */
export function readFont(weight: FontWeight): Promise<Buffer> {
  const beside = new URL(`./fonts/${fontFile(weight)}`, import.meta.url);
  return readFile(
    existsSync(beside)
      ? beside
      : createRequire(import.meta.url).resolve(`@fontsource/inter/files/${fontFile(weight)}`),
  );
}
