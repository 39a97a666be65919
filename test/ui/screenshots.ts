import { writeFile } from "node:fs/promises";
import { serveRun } from "../../src/ui/serve-run.ts";
import { launchChromium } from "./browser.ts";

/**
 * @file Takes the documents' pictures of the live page: `docs/live-page.png` and `docs/live-page-narrow.png`.
 * Usage: `node --import tsx test/ui/screenshots.ts RUN`, with a run's folder or the address of a page that is being served.
 */
const [run] = process.argv.slice(2);
if (run === undefined)
  throw new Error("Name a run's folder, such as runs/train-1, or a live page's address.");
const served = run.startsWith("http://127.0.0.1:") ? null : await serveRun({ folder: run, port: 0 });
const browser = await launchChromium();
for (const { file, width, height, scale } of [
  { file: "live-page", width: 1280, height: 900, scale: 1 },
  { file: "live-page-narrow", width: 390, height: 1060, scale: 2 },
]) {
  const page = await browser.newPage({
    viewport: { width, height },
    deviceScaleFactor: scale,
    colorScheme: "light",
    reducedMotion: "reduce",
  });
  await page.goto(served?.url ?? run);
  await page.waitForSelector("body[data-ready]");
  await page.waitForSelector(".map canvas");
  await page.evaluate(() =>
    Promise.all(Array.from(document.images, (image) => image.decode().catch(() => undefined))),
  );
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  const end = await page.evaluate(() => document.querySelector("#memory")!.getBoundingClientRect().bottom);
  // Wide: all but the settings. Narrow: what a telephone shows first.
  const clip = { x: 0, y: 0, width, height: width > 400 ? Math.ceil(end) + 28 : height };
  await writeFile(`docs/${file}.png`, await page.screenshot({ fullPage: true, clip }));
}
await browser.close();
await served?.close();
