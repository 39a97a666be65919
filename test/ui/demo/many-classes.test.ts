import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright-core";
import { classShares } from "../../../src/masks/class-shares.ts";
import { decodeMask } from "../../../src/data/mask.ts";
import { serveDemo } from "../../../src/ui/serve-demo.ts";
import { writeSafetensors } from "../../../src/weights/safetensors-file.ts";
import { photo } from "../../data/folder.ts";
import { isQuick } from "../../helpers/quick.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";
import { TINY_METADATA } from "../../train/tiny-model.ts";
import { chromiumPath, launchChromium, NO_CHROMIUM, SOFTWARE_WEBGPU } from "../browser.ts";
import { untrainedWeights } from "./small-model.ts";

if (chromiumPath === null) console.warn(NO_CHROMIUM);

/** Milliseconds that a loaded machine without a graphics card may take. */
const PATIENCE = 240_000;

describe.skipIf(chromiumPath === null)("the page that labels photos, in Chromium", () => {
  const temporary = temporaryFolder();
  let browser: Browser;
  let picture: string;
  beforeAll(async () => {
    picture = temporary("photo.png");
    // As large as it is shown.
    await photo(640, 320).png().toFile(picture);
    browser = await launchChromium(SOFTWARE_WEBGPU);
  });
  afterAll(() => browser.close());

  async function onPage(classNames: readonly string[], look: (page: Page) => Promise<void>): Promise<void> {
    const { length: classes } = classNames;
    const model = temporary(`${classes}.safetensors`);
    const metadata = { ...TINY_METADATA, classes: JSON.stringify(classNames) };
    await writeSafetensors(model, untrainedWeights(classes), metadata);
    const server = await serveDemo({ model, port: 0 });
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    try {
      page.setDefaultTimeout(PATIENCE);
      await page.goto(server.url);
      await page.setInputFiles("input[type=file]", picture);
      await page.locator(".classes li").first().waitFor();
      await page.locator("body[data-state=ready]").waitFor();
      await look(page);
      expect(complaints).toEqual([]);
    } finally {
      await page.close();
      await server.close();
    }
  }

  it.each(isQuick ? [256] : [2, 256])(
    "lists the classes of a model of %i, and learns the last one",
    async (classes) => {
      const names = Array.from({ length: classes }, (_, label) => `<b>${label}</b> & so on`);
      await onPage(names, async (page) => {
        await page.getByText(`${classes} classes`).waitFor();
        expect(await page.locator("#class option").allTextContents()).toEqual(names);

        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name: "Save mask" }).click(),
        ]);
        const saved = temporary(`${classes}.png`);
        await download.saveAs(saved);
        const { labels } = await decodeMask(saved);
        const shares = classShares(labels, names);
        expect(shares.length).toBeGreaterThan(Math.min(classes - 1, 20));
        const rows = await page.locator(".classes li span").allTextContents();
        expect(rows).toEqual(shares.map(({ name }) => name));
        const list = await page
          .locator(".classes")
          .evaluate(({ scrollHeight, clientHeight }) => ({ scrollHeight, clientHeight }));
        expect(list.clientHeight).toBeLessThan(300);
        expect(list.scrollHeight > list.clientHeight).toBe(shares.length > 7);
        // The last one is reached by its focus.
        await page.locator(".classes button").last().focus();
        expect(await page.locator(".classes button").last().isVisible()).toBe(true);

        await page.locator("#class").selectOption({ index: classes - 1 });
        await page.getByRole("radio", { name: "Fill" }).check({ force: true });
        await page.locator("canvas.paint").focus();
        await page.keyboard.press("f");
        await page.locator("#steps").fill("1");
        await page.getByRole("button", { name: "Learn", exact: true }).click();
        await page.locator("#announcer", { hasText: /^Learned: / }).waitFor({ state: "attached" });
      });
    },
  );
});
