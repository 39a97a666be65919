import { copyFile, mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { describeMemoryPlan } from "../../src/graph/memory-plan.ts";
import { writeHistory } from "../../src/runs/history.ts";
import { serveRun } from "../../src/ui/serve-run.ts";
import { emptyState } from "../../src/ui/run-state.ts";
import type { RunServer, ServeOptions } from "../../src/ui/serve-run.ts";
import { chromiumPath, launchChromium, NO_CHROMIUM } from "./browser.ts";
import { SimulatedRun, smallPlan } from "./simulated-run.ts";

if (chromiumPath === null) console.warn(NO_CHROMIUM);

/** Milliseconds in which a loaded machine still draws what it has been told. */
const PATIENCE = 15_000;

describe.skipIf(chromiumPath === null)("the live page in Chromium", () => {
  let browser: Browser;
  let root: string;
  let server: RunServer;
  const cleanups: (() => Promise<void>)[] = [];
  /** Requests that left the page's own address, and what the console complained of. */
  const strays: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "bespoke-page-"));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await rm(root, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    expect(strays.splice(0)).toEqual([]);
    expect(complaints.splice(0)).toEqual([]);
  });

  async function serve(options: ServeOptions = {}): Promise<void> {
    server = await serveRun({ port: 0, ...options });
    cleanups.push(server.close);
  }

  async function open(
    options: BrowserContextOptions = {},
    prepare: (page: Page) => Promise<void> = () => Promise.resolve(),
  ): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    cleanups.push(() => context.close());
    const page = await context.newPage();
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) strays.push(request.url());
    });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    await prepare(page);
    await page.goto(server.url);
    await page.waitForSelector("body[data-ready]");
    return page;
  }

  const see = (page: Page, text: string | RegExp): Promise<void> =>
    page.getByText(text).first().waitFor({ timeout: PATIENCE });
  const overflow = (page: Page): Promise<number> =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  /** How many points of a canvas are painted. */
  const painted = (page: Page, selector: string): Promise<number> =>
    page.evaluate((selector) => {
      const canvas = document.querySelector<HTMLCanvasElement>(selector)!;
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {
        willReadFrequently: true,
      })!;
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i] > 0) count++;
      return count;
    }, selector);

  it("follows a run from before its first step to its end", async () => {
    await serve();
    const { observer } = server;
    const page = await open();
    await see(page, "Waiting for the first step");
    await see(page, "The curve begins with the first step.");

    const folder = join(root, "train-7");
    await mkdir(join(folder, "figures"), { recursive: true });
    for (const name of ["worst_best", "overlay_worst_1"])
      await copyFile(
        new URL("../../docs/predictions.png", import.meta.url),
        join(folder, "figures", `${name}.png`),
      );
    const run = new SimulatedRun(folder);
    await observer.start!(run.info);
    await see(page, "train-7");
    await observer.phase!("frozen", smallPlan());
    run.steps(observer, 1, 4);
    await see(page, "Epoch 1 of 4 (encoder frozen), step 4 of 6");
    await see(page, /^Training$/);
    await page.waitForSelector(".plot canvas");
    const before = await painted(page, ".plot canvas");

    const announced = await page.locator("#announcer").textContent();
    expect(announced).toBe("");
    run.steps(observer, 1, 2);
    await run.epoch(observer, 1);
    await see(page, /^Epoch 1 done: validation accuracy 0\.\d{4}, validation loss/);
    const image = page.getByRole("img", { name: /^Epoch 1: validation photos/ });
    await image.waitFor();
    const width = (): Promise<number> =>
      image.evaluate((element) => (element as HTMLImageElement).naturalWidth);
    await expect.poll(width, { timeout: PATIENCE }).toBeGreaterThan(100);
    run.steps(observer, 2);
    await run.epoch(observer, 2);
    await see(page, /^Epoch 2 done/);
    await expect.poll(() => painted(page, ".plot canvas"), { timeout: PATIENCE }).toBeGreaterThan(before);
    await page.getByRole("img", { name: /^Epoch 2: validation photos/ }).waitFor();

    await observer.phase!("finetune", smallPlan("finetune"));
    await page.getByRole("radio", { name: "Fine-tuning" }).waitFor();
    expect(await page.getByRole("radio", { name: "Fine-tuning" }).isChecked()).toBe(true);
    // One dispatch for each op of the chain.
    await page.locator("#memory .facts").getByText("12", { exact: true }).waitFor();
    expect(await painted(page, ".map canvas")).toBeGreaterThan(1000);

    const heading = page.getByRole("heading", { name: "The worst and the best validation photos" });
    expect(await heading.isVisible()).toBe(false);
    await observer.end!(run.summary());
    await see(page, /^Finished$/);
    await page.getByRole("heading", { name: "Result" }).waitFor();
    await heading.waitFor();
    await page.getByRole("img", { name: /^Worst and best: validation photos/ }).waitFor();
    await page.getByRole("button", { name: "Later photos" }).click();
    const worst = page.getByRole("img", { name: /^Worst: validation photos/ });
    await expect
      .poll(() => worst.evaluate((element) => (element as HTMLImageElement).naturalWidth), {
        timeout: PATIENCE,
      })
      .toBeGreaterThan(100);
    await observer.close!();
    await see(page, "No longer served: the program ui shows the run again.");
  });

  it("shows a page that is opened late, or anew, everything", async () => {
    await serve();
    const run = new SimulatedRun("runs/train-8", { epochs: 6 });
    await run.whole(server.observer);
    const page = await open();
    for (let visit = 0; visit < 2; visit++) {
      await see(page, /^Finished$/);
      await page.getByText("Epochs as a table").click();
      expect(await page.getByRole("region", { name: "Epochs" }).locator("tbody tr").count()).toBe(6);
      expect(await page.locator("#predictions .tools input").getAttribute("max")).toBe("5");
      expect(await page.getByRole("radio").count()).toBe(2);
      if (visit === 0) await page.reload();
    }
  });

  it("takes a lost connection up again, and misses nothing", async () => {
    await serve();
    const run = new SimulatedRun("runs/train-9");
    await server.observer.start!(run.info);
    let attempts = 0;
    let letThrough = (): void => {};
    const looked = new Promise<void>((resolve) => (letThrough = resolve));
    const page = await open({}, async (page) => {
      const body = `data: ${JSON.stringify({ type: "state", state: emptyState() })}\n\n`;
      const headers = { "Content-Type": "text/event-stream" };
      await page.route("**/events", async (route) => {
        // The first stream breaks off after its first event; no other comes about before the page was looked at.
        if (++attempts === 1) return route.fulfill({ headers, body });
        await looked;
        return route.continue();
      });
    });
    await see(page, "Connection lost, trying again");
    // All of this happens while nobody listens.
    run.steps(server.observer, 1);
    await run.epoch(server.observer, 1);
    expect(await page.getByText(/^Training$/).count()).toBe(0);
    letThrough();
    await see(page, /^Training$/);
    await see(page, "Epoch 1 of 4 done (encoder frozen)");
    expect(attempts).toBeGreaterThan(1);
  });

  it("shows a finished run from its folder alone", async () => {
    const folder = join(root, "train-3");
    await mkdir(join(folder, "figures"), { recursive: true });
    const run = new SimulatedRun(folder);
    const rows = [1, 2, 3, 4].map((epoch) => ({
      epoch,
      phase: run.phaseOf(epoch),
      loss: 1 / epoch,
      accuracy: 0.7 + epoch / 50,
      valLoss: 1.1 / epoch,
      valAccuracy: 0.69 + epoch / 50,
      valMeanIou: 0.1,
      valDice: 0.2,
      valFwIou: 0.6,
      seconds: 10,
    }));
    const write = (name: string, value: unknown): Promise<void> =>
      writeFile(join(folder, name), JSON.stringify(value));
    await write("config.json", run.info.config);
    await write("environment.json", { node: "v20.9.0", memoryBytes: 2 ** 34, adapter: "llvmpipe" });
    await write("summary.json", run.summary());
    await write("plan.json", { frozen: describeMemoryPlan(smallPlan()) });
    await writeHistory(join(folder, "history.csv"), rows);
    await run.epoch(
      {
        epoch: ({ predictions }) =>
          writeFile(join(folder, "figures", "predictions_finetuned.png"), predictions),
      },
      4,
    );

    await serve({ folder });
    const page = await open();
    await see(page, /^Finished$/);
    await see(page, "0.7700");
    await see(page, "16.0 GiB");
    await page.getByRole("img", { name: /^Fine-tuned: validation photos/ }).waitFor();
    expect(await painted(page, ".map canvas")).toBeGreaterThan(1000);
  });

  it("can be walked through with the keyboard", async () => {
    await serve();
    const run = new SimulatedRun("runs/train-8", { epochs: 6 });
    await run.whole(server.observer);
    const page = await open();
    await see(page, /^Finished$/);
    await page.locator(".map[aria-valuemax='11']").waitFor();

    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the curves");
    const stops: string[] = [];
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const element = document.activeElement!;
        if (element === document.body) return null;
        const { outlineStyle } = getComputedStyle(
          element.matches("input[type=radio]") ? element.nextElementSibling! : element,
        );
        const name = element.getAttribute("aria-label") ?? element.textContent ?? "";
        return `${name.split(/ by epoch|;/)[0].trim()}${outlineStyle === "none" ? " (invisible)" : ""}`;
      });
      if (stop === null) break;
      stops.push(stop);
    }
    expect(stops).toEqual([
      "Accuracy",
      "Loss",
      "Epochs as a table",
      "Earlier predictions",
      "Which predictions",
      "Full size",
      "Predictions, true masks and photos",
      "",
      "Tensors in the arena",
      "Blocks as a table",
      "Settings",
    ]);

    const accuracy = page.getByRole("slider", { name: /^Accuracy by epoch/ });
    await accuracy.focus();
    expect(await accuracy.getAttribute("aria-valuenow")).toBe("6");
    await page.keyboard.press("ArrowLeft");
    expect(await accuracy.getAttribute("aria-valuetext")).toMatch(
      /^Epoch 5: training 0\.\d+, validation 0\.\d+$/,
    );
    // Both charts show the same epoch.
    const loss = page.getByRole("slider", { name: /^Loss by epoch/ });
    expect(await loss.getAttribute("aria-valuenow")).toBe("5");
    await page.keyboard.press("Home");
    expect(await loss.getAttribute("aria-valuenow")).toBe("1");

    await page.getByRole("slider", { name: "Which predictions" }).focus();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("img", { name: /^Epoch 5: validation photos/ }).waitFor();

    const map = page.getByRole("slider", { name: /^Tensors in the arena/ });
    await map.focus();
    await page.keyboard.press("ArrowRight");
    const first = await map.getAttribute("aria-valuetext");
    expect(first).toMatch(/^relu_0 \(relu\), 31\.3 KiB in block 1 of 31\.3 KiB, dispatch 0 to 1$/);
    await page.keyboard.press("ArrowDown");
    expect(await map.getAttribute("aria-valuetext")).toMatch(/in block 2/);
    await page.keyboard.press("End");
    expect(await map.getAttribute("aria-valuetext")).toMatch(/dispatch 11 kept to be read$/);
    await page.keyboard.press("Escape");
    expect(await map.getAttribute("aria-valuetext")).toBe("No tensor chosen");

    await page.getByRole("radio", { name: "Fine-tuning" }).focus();
    await page.keyboard.press("ArrowLeft");
    await page.locator(".map[aria-valuemax='5']").waitFor();
  });

  it.each([360, 820])(
    "has no horizontal scrolling at %d pixels, in the dark, without motion",
    async (width) => {
      await serve();
      const run = new SimulatedRun("runs/a-run-whose-name-is-as-long-as-somebody-could-make-it-and-more", {
        epochs: 6,
      });
      await run.whole(server.observer);
      const page = await open({
        viewport: { width, height: 740 },
        colorScheme: "dark",
        reducedMotion: "reduce",
      });
      await see(page, /^Finished$/);
      await page.locator(".map canvas").waitFor();
      await page.getByText("Epochs as a table").click();
      await page.getByText("Blocks as a table").click();
      expect(await overflow(page)).toBe(0);
      expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe(
        "rgb(17, 20, 26)",
      );
    },
  );
});
