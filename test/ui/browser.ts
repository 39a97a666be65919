import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Browser } from "playwright-core";

const USUAL = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Where a Chromium is: `BESPOKE_CHROMIUM`, or one of the usual places; null when there is none. */
export const chromiumPath = process.env.BESPOKE_CHROMIUM ?? USUAL.find((path) => existsSync(path)) ?? null;

export const NO_CHROMIUM =
  "No Chromium here: name one by BESPOKE_CHROMIUM, or install chromium, to test pages in a real browser.";

/** WebGPU on a machine without a graphics card. */
export const SOFTWARE_WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

export const launchChromium = (flags: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath!,
    // Chromium's sandbox refuses to run as root.
    args: [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), ...flags],
  });
