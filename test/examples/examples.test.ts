import { describe, expect, it } from "vitest";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isQuick } from "../helpers/quick.ts";
import { numbersAfter, runExample, runLongExample } from "./run-example.ts";

describe("npm run example --", () => {
  it("regression finds the line", async () => {
    const output = await runExample("regression");
    const [slope, intercept] = /y = ([\d.]+)x − ([\d.]+)\n$/.exec(output)!.slice(1).map(Number);
    expect(slope).toBeCloseTo(3, 1);
    expect(intercept).toBeCloseTo(1, 1);
    // The noise is uniform in ±0.05: its variance is what is left at best.
    expect(numbersAfter("loss", output).at(-1)).toBeLessThan(0.1 ** 2 / 12 + 1e-3);
  });

  it("own-kernel learns the sine", async () => {
    const output = await runExample("own-kernel", "300");
    expect(numbersAfter("loss", output).at(-1)).toBeLessThan(1e-3);
    const rows = output.split("\n").slice(-9, -1);
    for (const [x, sine, learned] of rows.map((row) => row.trim().split(/\s+/).map(Number))) {
      expect(sine).toBeCloseTo(Math.sin(x), 2);
      expect(Math.abs(learned - sine)).toBeLessThan(0.15);
    }
  });

  it("sequential learns", async () => {
    const output = await runLongExample("sequential", "40");
    const losses = numbersAfter("loss", output);
    expect(losses).toHaveLength(40);
    expect(losses[0]).toBeGreaterThan(2);
    expect(losses.slice(-5).every((loss) => loss < 1.9)).toBe(true);
    const source = await readFile(new URL("../../examples/sequential.ts", import.meta.url), "utf8");
    const lines = source
      .slice(source.indexOf("const relu"), source.indexOf("gpu.destroy"))
      .trim()
      .split("\n");
    expect(lines.filter((line) => line.trim() !== "" && line.trim() !== "}").length).toBeLessThanOrEqual(12);
  });

  it("mnist learns to read", async () => {
    const output = await runLongExample("mnist", isQuick ? "40" : "100");
    const [accuracy] = /new digits: ([\d.]+)\n$/.exec(output)!.slice(1).map(Number);
    // A guess is right in one of ten; the 200 steps it makes by itself reach 0.98.
    expect(accuracy).toBeGreaterThan(isQuick ? 0.5 : 0.8);
    expect(output).toMatch(/\n\s*[.:+#@]{2}.*\n/);
  });

  it("transformer learns a text of one's own and writes on", async () => {
    const folder = await mkdtemp(join(tmpdir(), "text-"));
    try {
      const file = join(folder, "text.txt");
      await writeFile(file, "one two three, ".repeat(20));
      const output = await runLongExample("transformer", "80", file);
      const losses = numbersAfter("loss", output);
      // Of nine characters, and then of what never surprises but at the beginning.
      expect(losses[0]).toBeGreaterThan(2);
      expect(losses.at(-1)).toBeLessThan(0.2);
      const written = output.trim().split("\n").at(-1)!;
      expect(written.length).toBeGreaterThan(290);
      expect(written.match(/one two three, /g)!.length).toBeGreaterThan(14);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("autoencoder learns to draw", async () => {
    const output = await runLongExample("autoencoder", "60");
    const [losses, divergences] = ["loss", "divergence"].map((name) => numbersAfter(name, output));
    expect(losses.at(-1)).toBeLessThan(0.65 * losses[0]);
    // Of what says nothing of an image it is 0.
    expect(divergences.at(-1)).toBeGreaterThan(0.3);
    expect(divergences.at(-1)).toBeLessThan(30);
    expect(output).toMatch(/\n\s*[.:+#@]{2}.*\n/);
  });

  it("unet trains", async () => {
    const output = await runExample("unet", "3", "32");
    const losses = numbersAfter("loss", output);
    expect(losses).toHaveLength(3);
    expect(losses[2]).toBeLessThan(losses[0]);
    expect(output).toMatch(/Predicted: .+ \d+ %\nTruth: {5}null \d+ %, /);
  });

  it("says which examples there are", async () => {
    const failure = (await runExample("nothing").catch((error: unknown) => error)) as {
      code: number;
      stderr: string;
    };
    expect(failure.code).toBe(1);
    expect(failure.stderr).toContain('There is no example "nothing".');
    for (const name of [
      "regression",
      "sequential",
      "mnist",
      "autoencoder",
      "transformer",
      "own-kernel",
      "unet",
    ])
      expect(failure.stderr).toContain(`\n  ${name} `);
  });
});
