import { writeFile } from "node:fs/promises";
import { serveDemo } from "../../../src/ui/serve-demo.ts";
import { launchChromium, SOFTWARE_WEBGPU } from "../browser.ts";

/**
 * @file Takes the documents' picture of the page that labels photos: `docs/demo.png`.
 * Usage: `node --import tsx test/ui/demo/screenshots.ts MODEL PHOTO [CLASS]`; of the class, a stroke is painted and learned.
 */
const [model, photo, label] = process.argv.slice(2);
if (photo === undefined) throw new Error("Name a model, as npm run demo takes it, and a photo.");
const server = await serveDemo({ model, port: 0 });
const browser = await launchChromium(SOFTWARE_WEBGPU);
const page = await browser.newPage({
  viewport: { width: 1280, height: 1160 },
  colorScheme: "light",
  reducedMotion: "reduce",
});
page.setDefaultTimeout(300_000);
await page.goto(server.url);
await page.setInputFiles("input[type=file]", photo);
await page.waitForSelector(".classes li");
await page.waitForSelector("body[data-state=ready]");
if (label !== undefined) {
  await page.getByRole("radio", { name: "Brush" }).check({ force: true });
  await page.locator("#class").selectOption(label);
  await page.evaluate(() => scrollTo(0, 0));
  const box = (await page.locator("canvas.paint").boundingBox())!;
  const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(0.47, 0.46));
  await page.mouse.down();
  await page.mouse.move(...at(0.44, 0.58), { steps: 4 });
  await page.mouse.up();
  await page.getByRole("button", { name: "Learn", exact: true }).click();
  await page.getByText("after 10 steps").waitFor();
  await page.waitForSelector("body[data-state=ready]");
}
await page.mouse.move(4, 4);
await page.evaluate(() => scrollTo(0, 0));
await page.evaluate(() => document.fonts.ready.then(() => undefined));
const end = await page.evaluate(() =>
  Math.max(...["#photo", "#correct"].map((id) => document.querySelector(id)!.getBoundingClientRect().bottom)),
);
const clip = { x: 0, y: 0, width: 1280, height: Math.ceil(end) + 28 };
await writeFile("docs/demo.png", await page.screenshot({ fullPage: true, clip }));
await browser.close();
await server.close();
