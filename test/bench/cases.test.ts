import { describe, expect, it } from "vitest";
import { benchCases, matches } from "../../bench/cases/cases.ts";
import { bytesMoved } from "../../bench/cases/op-cases.ts";
import { DIRECTIONS } from "../../bench/bench-case.ts";
import { convolutions } from "../../bench/step/arithmetic.ts";

const cases = benchCases({ batch: 2, size: 64, classes: 59 });
const named = (name: string): (typeof cases)[number] => cases.find((each) => each.name === name)!;

describe("the benchmark's cases", () => {
  it("have names of their own, something to move and a direction", () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    for (const { bytes, direction } of cases) {
      expect(bytes).toBeGreaterThan(0);
      expect(DIRECTIONS).toContain(direction);
    }
  });

  it("are convolutions of the network", () => {
    const network = convolutions({ imageSize: 64, classes: 59, decoder: "transpose" });
    const flops = new Set(network.map(({ multiplyAdds }) => 2 * 2 * multiplyAdds));
    const products = cases.filter(({ name }) => /^conv2d/.test(name));
    expect(products.length).toBeGreaterThan(40);
    for (const product of products) expect(flops).toContain(product.flops);
  });

  it("are dense blocks of as much arithmetic as the network's encoder has, stem and transitions aside", () => {
    const encoder = convolutions({ imageSize: 64, classes: 59, decoder: "transpose" }).filter(
      ({ part, inChannels }) => part === "encoder" && inChannels !== 3,
    );
    const all = encoder.reduce((sum, { multiplyAdds }) => sum + 4 * multiplyAdds, 0);
    const transitions = [1, 2, 3].map(
      (i) => cases.find(({ name }) => name.startsWith(`conv2d transition ${i} `))!.flops!,
    );
    const blocks = [1, 2, 3, 4].map((i) => named(`denseBlock ${i} training forward`).flops!);
    const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
    expect(sum(blocks) + sum(transitions)).toBe(all);
    expect(named("denseBlock 3 training backward").flops).toBe(2 * blocks[2]);
  });

  it("move every input and every result once", () => {
    const { shape, bytes } = named("conv2dTranspose 3×3/2 128→59 by data");
    expect(shape).toBe("[2, 32, 32, 128]");
    expect(bytes).toBe(4 * (2 * 32 * 32 * 128 + 9 * 128 * 59 + 2 * 64 * 64 * 59));
    expect(bytesMoved([[2, 3], [], [4]])).toBe(44);
  });

  it("are found by a part of their names, × typed as x", () => {
    const found = (filter: string): number => cases.filter((each) => matches(each, filter)).length;
    expect(found("")).toBe(cases.length);
    expect(found("BATCHNORM")).toBe(15);
    expect(found("3x3 128→32")).toBe(12);
    expect(found("nothing of the kind")).toBe(0);
  });
});
