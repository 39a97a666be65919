import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { preview } from "vite";
import { expect, it } from "vitest";
import { chromiumPath, launchChromium, NO_CHROMIUM, SOFTWARE_WEBGPU } from "../ui/browser.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const VITE = join(ROOT, "node_modules/vite/bin/vite.js");

/** Milliseconds that a loaded machine without a graphics card may take to compile the kernels. */
const PATIENCE = 180_000;

/** The numbers of the page, as it shows them. */
interface Shown {
  readonly state: string | undefined;
  readonly step: number;
  readonly loss: number;
}

/**
 * The test that `examples/browser` is built by Vite and learns in a browser, in a folder that has the package alone.
 *
 * @param installed gives the path of that folder once the package is there
 */
export function itLearnsInABrowser(installed: () => string): void {
  if (chromiumPath === null) console.warn(NO_CHROMIUM);

  it.skipIf(chromiumPath === null)(
    "is bundled by Vite into a page that learns",
    { timeout: 2 * PATIENCE },
    async () => {
      const root = join(installed(), "browser");
      await cp(join(ROOT, "examples/browser"), root, { recursive: true });
      const env = { ...process.env, NODE_ENV: "production" };
      await promisify(execFile)(process.execPath, [VITE, "build"], { cwd: root, env });

      const server = await preview({ root, preview: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
      const browser = await launchChromium(SOFTWARE_WEBGPU);
      try {
        const page = await browser.newPage();
        const complaints: string[] = [];
        page.on("pageerror", (error) => complaints.push(String(error)));
        page.on("console", (message) => {
          if (["error", "warning"].includes(message.type())) complaints.push(message.text());
        });
        const shown = (): Promise<Shown> =>
          page.evaluate(() => {
            const number = (id: string): number =>
              Number.parseFloat(document.getElementById(id)!.textContent);
            return { state: document.body.dataset.state, step: number("step"), loss: number("loss") };
          });
        const after = async (steps: number): Promise<Shown> => {
          await page.waitForFunction(
            (least) =>
              document.body.dataset.state === "failed" ||
              Number(document.getElementById("step")!.textContent) >= least,
            steps,
            { timeout: PATIENCE },
          );
          return shown();
        };

        await page.goto(server.resolvedUrls!.local[0]);
        const first = await after(5);
        expect(first).toMatchObject({ state: "learning" });
        const later = await after(200);
        expect(later).toMatchObject({ state: "learning" });
        // Of three classes alike, log 3 = 1.1 is what knows nothing.
        expect(later.loss).toBeLessThan(first.loss / 3);

        // Another set of points while the first is still learned: the page begins anew and goes on.
        await page.selectOption("#points", "rings");
        await page.waitForFunction(() => Number(document.getElementById("step")!.textContent) < 150);
        expect(await after(150)).toMatchObject({ state: "learning" });
        await page.click("#pause");
        expect(await shown()).toMatchObject({ state: "paused" });
        expect(complaints).toEqual([]);
      } finally {
        await browser.close();
        await server.close();
      }
    },
  );
}
