/**
 * @file Takes the documents' picture of the page that learns: `docs/browser-example.png`.
 * Usage: `node --import tsx test/examples/browser-screenshot.ts`.
 */
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { createServer } from "vite";
import { launchChromium, SOFTWARE_WEBGPU } from "../ui/browser.ts";

const server = await createServer({
  root: fileURLToPath(new URL("../../examples/browser", import.meta.url)),
  server: { port: 0 },
  logLevel: "error",
});
await server.listen();
const browser = await launchChromium(SOFTWARE_WEBGPU);
const page = await browser.newPage({ viewport: { width: 1000, height: 700 }, colorScheme: "light" });
await page.goto(server.resolvedUrls!.local[0]);
await page.waitForSelector("body[data-state=done]", { timeout: 300_000 });
const picture = await page.screenshot({ fullPage: true });
await sharp(picture).png({ palette: true, colours: 256 }).toFile("docs/browser-example.png");
await browser.close();
await server.close();
