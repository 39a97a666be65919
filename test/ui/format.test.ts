import { describe, expect, it } from "vitest";
import { bytes, duration, factRows, fixed, percent, rate } from "../../src/ui/page/format.ts";

describe("the page's numbers", () => {
  it("are legible", () => {
    expect([0, 3.2, 247, 3900].map(duration)).toEqual(["0 s", "3 s", "4 min 07 s", "1 h 05 min"]);
    expect([0, 512, 1536, 98127344, 2 ** 34].map(bytes)).toEqual([
      "0 bytes",
      "512 bytes",
      "1.5 KiB",
      "93.6 MiB",
      "16.0 GiB",
    ]);
    expect([0.0123, 0.5, 12.34, 1234.5].map(rate)).toEqual(["0.012", "0.50", "12.3", "1,235"]);
    expect([0, 0.004, 0.25, 1].map(percent)).toEqual(["0.0 %", "0.4 %", "25 %", "100 %"]);
    expect([fixed(0.81234567), fixed(null), duration(null), rate(null), percent(null)]).toEqual([
      "0.8123",
      "–",
      "–",
      "–",
      "–",
    ]);
  });

  it("are told with what they are of", () => {
    expect(
      factRows({
        epochsFrozen: 20,
        memoryBytes: 2 ** 30,
        data: null,
        cache: true,
        augment: ["hue", "gamma"],
        gpu: { a: 1 },
      }),
    ).toEqual([
      ["epochs frozen", "20"],
      ["memory", "1.0 GiB"],
      ["data", "none"],
      ["cache", "yes"],
      ["augment", "hue, gamma"],
      ["gpu: a", "1"],
    ]);
  });
});
