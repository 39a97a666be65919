import { readFile, writeFile } from "node:fs/promises";
import sharp from "sharp";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { decodeMask } from "../../../src/data/mask.ts";
import { decodePhoto } from "../../../src/data/photo.ts";
import { classShares } from "../../../src/masks/class-shares.ts";
import { loadModel } from "../../../src/use/model.ts";
import { maskFromLogits } from "../../../src/masks/mask-from-logits.ts";
import { Predictor } from "../../../src/use/predictor.ts";
import { serveDemo } from "../../../src/ui/serve-demo.ts";
import type { DemoServer } from "../../../src/ui/serve-demo.ts";
import { writeSafetensors } from "../../../src/weights/safetensors-file.ts";
import { photo } from "../../data/folder.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { TINY_CLASSES, TINY_METADATA } from "../../train/tiny-model.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";
import { untrainedWeights } from "./small-model.ts";
import { chromiumPath, launchChromium, NO_CHROMIUM, SOFTWARE_WEBGPU } from "../browser.ts";

if (chromiumPath === null) console.warn(NO_CHROMIUM);

/** Milliseconds that a loaded machine without a graphics card may take to compile and to train. */
const PATIENCE = 240_000;

describe.skipIf(chromiumPath === null)("the page that labels photos, in Chromium", () => {
  const gpu = useGpu();
  const temporary = temporaryFolder();
  let browser: Browser;
  let server: DemoServer;
  let predictor: Predictor;
  const pages: Page[] = [];
  /** Requests that left the page's own address, and what the console complained of. */
  const strays: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    const file = temporary("model.safetensors");
    await writeSafetensors(file, untrainedWeights(TINY_CLASSES.length), TINY_METADATA);
    predictor = await Predictor.create(gpu(), await loadModel(file), { batchSize: 1 });
    server = await serveDemo({ model: file, port: 0 });
    const camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
    browser = await launchChromium([...SOFTWARE_WEBGPU, ...camera]);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    predictor.destroy();
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
    expect(strays.splice(0)).toEqual([]);
    expect(complaints.splice(0)).toEqual([]);
  });

  interface OpenOptions extends BrowserContextOptions {
    /** Run in the page before its own script. */
    readonly before?: () => void;
    /** Whether the weights never come, so that nothing is compiled for a test that needs no network. */
    readonly withoutWeights?: boolean;
  }

  async function open({ before, withoutWeights = false, ...options }: OpenOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    pages.push(page);
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith("blob:"))
        strays.push(request.url());
    });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    if (before) await page.addInitScript(before);
    if (withoutWeights) await page.route("**/*.safetensors", () => undefined);
    await page.goto(server.url);
    return page;
  }

  const settled = (page: Page): Promise<unknown> =>
    page.locator("body[data-state=ready]").waitFor({ timeout: PATIENCE });
  const told = (page: Page, text: RegExp): Promise<unknown> =>
    page.locator("#announcer", { hasText: text }).waitFor({ state: "attached", timeout: PATIENCE });
  const button = (page: Page, name: string): ReturnType<Page["getByRole"]> =>
    page.getByRole("button", { name, exact: true });

  /** What is saved by a click on a button. */
  async function saved(page: Page, name: string): Promise<{ file: string; name: string }> {
    const [download] = await Promise.all([page.waitForEvent("download"), button(page, name).click()]);
    return { file: await download.path(), name: download.suggestedFilename() };
  }

  /** The mask that `npm run predict` writes of a photo. */
  async function predicted(file: string): Promise<{ width: number; height: number; labels: Uint8Array }> {
    const decoded = await decodePhoto(file);
    const [logits] = await predictor.scores([decoded]);
    const side = { width: 32, height: 32 };
    const labels = maskFromLogits(logits, side, TINY_CLASSES.length, decoded);
    return { width: decoded.width, height: decoded.height, labels };
  }

  async function maskOnPage(page: Page): Promise<{ width: number; height: number; labels: Uint8Array }> {
    const { file } = await saved(page, "Save mask");
    const named = temporary("saved.mask.png");
    await writeFile(named, await readFile(file));
    return decodeMask(named);
  }

  const agreement = (a: Uint8Array, b: Uint8Array): number =>
    a.filter((label, pixel) => label === b[pixel]).length / a.length;

  it("labels photos as npm run predict does, learns a correction and forgets it", async () => {
    // Waves on both axes and a turned one, so that size, orientation and channels would show.
    const upright = temporary("upright.png");
    await photo(90, 130).toFile(upright);
    const turned = temporary("turned.jpg");
    await photo(700, 430).jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toFile(turned);

    const page = await open({
      before: () => {
        const prototype = GPUAdapter.prototype as { requestDevice: (this: GPUAdapter) => Promise<GPUDevice> };
        const { requestDevice } = prototype;
        prototype.requestDevice = async function () {
          const device = await requestDevice.apply(this);
          addEventListener("destroy-device", () => device.destroy());
          return device;
        };
      },
    });
    // It comes before the network is there, and waits for it.
    await page.setInputFiles("input[type=file]", upright);
    await told(page, /^Labelled: /);
    await settled(page);
    await page.getByText("google swiftshader (software)").first().waitFor();
    await page.getByText("This adapter has no f16 (the WebGPU feature shader-f16).").waitFor();
    const precision = page.getByRole("group", { name: "Precision" });
    expect(await precision.getByRole("radio", { name: "f32" }).isChecked()).toBe(true);
    expect(await precision.getByRole("radio", { name: "f16" }).isDisabled()).toBe(true);
    const first = await maskOnPage(page);
    const wanted = await predicted(upright);
    expect([first.width, first.height]).toEqual([90, 130]);
    expect(agreement(first.labels, wanted.labels)).toBeGreaterThanOrEqual(0.999);
    expect(new Set(first.labels).size).toBeGreaterThan(1);

    // The photo in windows at its own size, and the whole photo again.
    await page.getByText("Windows", { exact: true }).click();
    await page.getByText(/^Window \d+ of \d+$/).waitFor({ timeout: PATIENCE });
    await told(page, /^Labelled in windows: /);
    await settled(page);
    const inWindows = await maskOnPage(page);
    expect([inWindows.width, inWindows.height]).toEqual([90, 130]);
    expect(agreement(inWindows.labels, wanted.labels)).toBeLessThan(0.999);
    await page.getByText("Whole photo", { exact: true }).click();
    await told(page, /^Labelled: /);
    await settled(page);
    expect((await maskOnPage(page)).labels).toEqual(first.labels);

    await page.setInputFiles("input[type=file]", turned);
    await told(page, /^Labelled: /);
    await page.locator("canvas.paint[width='430']").waitFor({ timeout: PATIENCE });
    await settled(page);
    const second = await maskOnPage(page);
    const other = await predicted(turned);
    expect([second.width, second.height]).toEqual([430, 700]);
    expect(agreement(second.labels, other.labels)).toBeGreaterThanOrEqual(0.999);
    // The legend: every class with its share.
    const shares = classShares(second.labels, TINY_CLASSES);
    const rows = await page.locator(".classes li").allTextContents();
    expect(rows.map((row) => row.replace(/[<>\d].*/, ""))).toEqual(shares.map(({ name }) => name));
    expect(rows[0]).toContain(`${(100 * shares[0].share).toFixed(1)} %`);
    const overlay = await saved(page, "Save picture");
    expect(overlay.name).toBe("turned.overlay.png");
    expect((await sharp(await readFile(overlay.file)).metadata()).width).toBe(430);

    // By keys alone: a region is filled, a dab is painted, and the dab is taken back.
    const least = shares.at(-1)!.name === "boots" ? "bag" : "boots";
    await page.locator("#class").selectOption(least);
    const canvas = page.locator("canvas.paint");
    await canvas.focus();
    expect(await button(page, "Learn").isDisabled()).toBe(true);
    await page.keyboard.press("f");
    await told(page, new RegExp(`^Filled a region of [\\d.]+ % with ${least}`));
    await page.getByRole("radio", { name: "Brush" }).check();
    await canvas.focus();
    await page.keyboard.press("Shift+ArrowLeft");
    await page.keyboard.press("]");
    await page.keyboard.press("Space");
    await told(page, new RegExp(`^Painted ${least}`));
    await page.keyboard.press("Control+z");
    await told(page, /^The last stroke was taken back/);
    await page.getByRole("radio", { name: "Look" }).check();
    await canvas.focus();
    await page.keyboard.press("Enter");
    await told(page, new RegExp(`^Here: ${least}\\.$`));

    // A stroke that is taken back under the hand leaves no trace, and nothing follows it.
    await page.getByRole("radio", { name: "Brush" }).check();
    const box = (await canvas.boundingBox())!;
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 60, box.y + 40);
    await page.keyboard.press("Control+z");
    await page.mouse.move(box.x + 90, box.y + 90);
    await page.mouse.up();
    await page.keyboard.press("Control+z");
    expect(await button(page, "Undo").isDisabled()).toBe(true);
    await canvas.focus();
    await page.keyboard.press("f");
    await told(page, /^Filled a region/);

    await button(page, "Learn").click();
    await told(page, /^Learned: the loss is/);
    await settled(page);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Learn");
    const curve = await page.locator(".loss svg").getAttribute("aria-label");
    const [, before, after, steps] = /Loss: ([\d.]+) at first, ([\d.]+) after (\d+) steps/.exec(curve!)!;
    expect(Number(steps)).toBe(10);
    expect(Number(after)).toBeLessThan(0.9 * Number(before));
    const taught = await maskOnPage(page);
    expect(agreement(taught.labels, second.labels)).toBeLessThan(0.999);

    await button(page, "Reset model").click();
    await told(page, /^The network is what it was/);
    await settled(page);
    expect((await maskOnPage(page)).labels).toEqual(second.labels);

    // In the middle of the work the loss is told, and not the call that failed by it.
    await page.setInputFiles("input[type=file]", upright);
    await page.evaluate(() => dispatchEvent(new Event("destroy-device")));
    await page.getByRole("heading", { name: "The graphics card was lost" }).waitFor();
    expect(await page.locator("body").getAttribute("data-state")).toBe("lost");
    // What the browser itself says of calls on a device that is gone.
    complaints.length = 0;
  });

  it("can be walked through with the keyboard, and takes samples and the camera's picture", async () => {
    const page = await open({ withoutWeights: true });
    await page.locator(".samples button").nth(3).waitFor();
    const stops: string[] = [];
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const element = document.activeElement!;
        const { outlineStyle } = getComputedStyle(element);
        const name = element.getAttribute("aria-label") ?? element.textContent;
        return `${name}${outlineStyle === "none" ? " (invisible)" : ""}`;
      });
      stops.push(stop);
      if (stop === "With the keyboard") break;
    }
    expect(stops).toEqual([
      ...["Skip to the photo", "Choose a photo", "Use the camera"],
      ...["Drawn person 1", "Drawn person 2", "Drawn person 3", "Drawn person 4"],
      "With the keyboard",
    ]);

    await button(page, "Drawn person 2").click();
    await page.locator("canvas.paint[width='640']").waitFor();
    // Twice as wide as high is dropped, twice as high as wide is pasted.
    for (const [event, width, height] of [
      ["drop", 64, 32],
      ["paste", 32, 64],
    ] as const) {
      await page.evaluate(
        async ([event, width, height]) => {
          const canvas = new OffscreenCanvas(width, height);
          canvas.getContext("2d")!.fillRect(0, 0, width, height);
          const picture = await canvas.convertToBlob();
          const data = new DataTransfer();
          data.items.add(new File([picture], "given.png", { type: "image/png" }));
          const options = { bubbles: true, cancelable: true };
          document.body.dispatchEvent(
            event === "drop"
              ? new DragEvent(event, { ...options, dataTransfer: data })
              : new ClipboardEvent(event, { ...options, clipboardData: data }),
          );
        },
        [event, width, height] as const,
      );
      const side = 640 * Math.min(1, width / height);
      await page.locator(`canvas.paint[width='${side}'][height='${(side * height) / width}']`).waitFor();
    }
    await button(page, "Use the camera").click();
    await button(page, "Take the picture").click();
    await expect.poll(() => page.locator("canvas.paint").getAttribute("height")).not.toBe("960");
    const broken = temporary("broken.jpg");
    await writeFile(broken, "no picture");
    await page.setInputFiles("input[type=file]", broken);
    await page.getByText("broken.jpg is not a picture that this browser can decode").waitFor();
  });

  it("explains what to do without WebGPU, without an adapter, and after the device was lost", async () => {
    const without = await open({
      before: () => Object.defineProperty(navigator, "gpu", { value: undefined }),
    });
    await without.getByRole("heading", { name: "This browser has no WebGPU" }).waitFor();
    await without.getByText(/Chrome or Edge/).waitFor();
    expect(await without.locator("#work").isVisible()).toBe(false);

    const bare = await open({
      before: () => (GPU.prototype.requestAdapter = () => Promise.resolve(null)),
    });
    await bare.getByRole("heading", { name: "This browser finds no graphics adapter" }).waitFor();

    const lost = await open({
      withoutWeights: true,
      before: () => {
        const prototype = GPUAdapter.prototype as { requestDevice: (this: GPUAdapter) => Promise<GPUDevice> };
        const { requestDevice } = prototype;
        prototype.requestDevice = async function () {
          const device = await requestDevice.apply(this);
          setTimeout(() => device.destroy(), 500);
          return device;
        };
      },
    });
    await lost.getByRole("heading", { name: "The graphics card was lost" }).waitFor();
    await button(lost, "Load the page again").waitFor();
  });

  it("has no horizontal scrolling at 360 pixels, in the dark, without motion", async () => {
    const page = await open({
      withoutWeights: true,
      viewport: { width: 360, height: 740 },
      colorScheme: "dark",
      reducedMotion: "reduce",
    });
    await page.locator(".samples button").nth(3).waitFor();
    await button(page, "Drawn person 1").click();
    await page.locator("canvas.paint[width='640']").waitFor();
    await page.getByText("With the keyboard").click();
    const { documentElement: overflow } = await page.evaluate(() => ({
      documentElement: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }));
    expect(overflow).toBe(0);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(
      "rgb(17, 20, 26)",
    );
  });
});
