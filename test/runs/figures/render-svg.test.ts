import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import sharp from "sharp";
import { expect, it } from "vitest";
import { pixelsOfSvg } from "../../../src/runs/figures/pixels-of-svg.ts";
import { renderSvg, renderSvgPixels } from "../../../src/runs/figures/render-svg.ts";
import { svgDocument, text } from "../../../src/runs/figures/svg.ts";
import { temporaryFolder } from "../../files/temporary-folder.ts";

const inFolder = temporaryFolder();

const document = svgDocument(200, 40, [text("Hello 0.123", 10, 25, { bold: true })]);

it("draws the same text on a machine without fonts", async () => {
  await writeFile(inFolder("fonts.conf"), "<fontconfig></fontconfig>");
  const module = new URL("../../../src/runs/figures/render-svg.ts", import.meta.url).href;
  const script = `import { renderSvg } from ${JSON.stringify(module)};
    process.stdout.write((await renderSvg(${JSON.stringify(document)})).toString("base64"));`;
  const bare = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    encoding: "utf8",
    env: { ...process.env, FONTCONFIG_FILE: inFolder("fonts.conf") },
  });
  expect(bare).toBe((await renderSvg(document)).toString("base64"));
});

it("draws letters, not boxes, in the weight that is asked for", async () => {
  const png = async (content: string, bold: boolean): Promise<string> =>
    (await renderSvg(svgDocument(60, 40, [text(content, 10, 25, { bold })]))).toString("base64");
  const pictures = await Promise.all([
    png("", false),
    png("a", false),
    png("a", true),
    png("b", false),
    png("−", false),
    png("…", false),
  ]);
  expect(new Set(pictures).size).toBe(pictures.length);
});

it("draws as many pixels as are foretold", async () => {
  await fc.assert(
    fc.asyncProperty(
      ...([fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 })] as const),
      fc.oneof(
        fc.double({ min: 1, max: 4, noNaN: true }),
        fc.integer({ min: 800, max: 1600 }).map((side) => side / 800),
      ),
      async (width, height, scale) => {
        const drawn = await sharp(await renderSvg(svgDocument(width, height, []), scale)).metadata();
        expect([drawn.width, drawn.height]).toEqual([width, height].map((side) => pixelsOfSvg(side, scale)));
      },
    ),
  );
});

it("gives the pixels of a part of a document as its PNG has them", async () => {
  for (const [scale, width, height, left, top, below] of [
    [1, 60, 40, 0, 0, 0],
    [2.0625, 61, 43, 30, 11, 20],
    [1.337, 75, 31, 0, 17, 1],
  ]) {
    const document = svgDocument(width, height, [
      text("Legend", 5, 25),
      text("12.3 %", 40, 25, { bold: true }),
    ]);
    const png = sharp(await renderSvg(document, scale));
    const { width: allX = 0, height: allY = 0 } = await png.metadata();
    const part = { left, top, width: allX - left, height: allY - below - top };
    const expected = await png.extract(part).removeAlpha().raw().toBuffer();
    const pixels = await renderSvgPixels(document, scale, {
      ...{ left, top, right: allX, bottom: allY - below },
    });
    expect([pixels.width, pixels.height]).toEqual([part.width, part.height]);
    expect(Buffer.from(pixels.rgb).equals(expected)).toBe(true);
  }
});
