import { describe, expect, it } from "vitest";
import { storedAsHalf } from "../../../src/kernels/text/half-storage.ts";
import { defineKernel } from "../../../src/kernels/kernel.ts";

const kernel = (body: string) =>
  defineKernel({
    label: "example",
    read: { x: "array<vec4f>", index: "array<u32>" },
    write: { y: "array<f32>" },
    enable: "enable subgroups;",
    workgroups: [1, 1, 1],
    body,
  });
const bodyOf = (wgsl: string): string => wgsl.split("\n").slice(5).join("\n");
const halved = (body: string): string => bodyOf(storedAsHalf(kernel(body), ["x", "y"]).wgsl);

describe("buffers of f16", () => {
  it("are declared so, and the text enables f16 before anything else", () => {
    const { wgsl, bindings } = storedAsHalf(kernel("body"), ["x"]);
    expect(wgsl.split("\n")).toEqual([
      "enable f16;",
      "enable subgroups;",
      "@group(0) @binding(0) var<storage, read> x: array<vec4h>;",
      "@group(0) @binding(1) var<storage, read> index: array<u32>;",
      "@group(0) @binding(2) var<storage, read_write> y: array<f32>;",
      "body",
    ]);
    expect(bindings.map(({ type }) => type)).toEqual(["array<vec4h>", "array<u32>", "array<f32>"]);
  });

  it("are widened where they are loaded and rounded where they are stored", () => {
    expect(halved("let a = x[i] + x[i + 1u][2];")).toBe("let a = vec4f(x[i]) + vec4f(x[i + 1u])[2];");
    expect(halved("y[i] = a;")).toBe("y[i] = f16(a);");
    expect(halved("y[i] = x[i].x * 2.0; let b = y[i];")).toBe(
      "y[i] = f16(vec4f(x[i]).x * 2.0); let b = f32(y[i]);",
    );
    expect(halved("y[i] += a; y[i] *= b + c;")).toBe(
      "y[i] = f16(f32(y[i]) + (a)); y[i] = f16(f32(y[i]) * (b + c));",
    );
  });

  it("may be used inside an index, and compared", () => {
    expect(halved("y[index[u32(y[x[0].x])]] = 1.0;")).toBe(
      "y[index[u32(f32(y[vec4f(x[0]).x]))]] = f16(1.0);",
    );
    expect(halved("if (y[i] == 0.0 && x[j].x >= y[k]) {}")).toBe(
      "if (f32(y[i]) == 0.0 && vec4f(x[j]).x >= f32(y[k])) {}",
    );
  });

  it("are told from other names and from comments", () => {
    const body =
      "// y[i] is x[i]\nlet x = 1u; let xy[0]; params.x[0]; max[1]; /* y[0] = */ struct P { y: i32 } index[2];";
    expect(halved(body)).toBe(body);
  });

  it("leaves a kernel alone that has none", () => {
    const plain = kernel("y[i] = x[i].x;");
    expect(storedAsHalf(plain, [])).toBe(plain);
  });

  it("refuses what cannot be halved", () => {
    expect(() => storedAsHalf(kernel(""), ["index"])).toThrow(
      'example: "index", array<u32>, cannot hold f16.',
    );
    for (const store of ["x[i][0] = 1.0;", "x[i].x += 1.0;"]) {
      expect(() => halved(store)).toThrow(
        'example stores a part of an element of "x", which cannot hold f16.',
      );
    }
    expect(() => halved("let a = x[i;")).toThrow("A bracket is never closed");
  });
});
