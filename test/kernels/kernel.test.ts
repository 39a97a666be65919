import { describe, expect, it } from "vitest";
import { defineKernel, f32, i32, linearGrid, u32 } from "../../src/kernels/kernel.ts";
import { paperTarget } from "../helpers/target.ts";

describe("defineKernel", () => {
  it("declares buffers and the uniform block as it fills them", () => {
    const kernel = defineKernel({
      label: "demo",
      enable: "enable subgroups;",
      read: { x: "array<f32>" },
      write: { y: "array<vec4f>" },
      params: { count: u32(7), shift: i32(-2), factor: f32(0.5), rows: u32(1), columns: u32(9) },
      workgroups: [1, 1, 1],
      body: "fn main() {}",
    });
    expect(kernel.wgsl.split("\n")).toEqual([
      "enable subgroups;",
      "@group(0) @binding(0) var<storage, read> stored_x: array<f32>;",
      "fn load_x(i: u32) -> f32 { return stored_x[i]; }",
      "@group(0) @binding(1) var<storage, read_write> stored_y: array<vec4f>;",
      "fn load_y(i: u32) -> vec4f { return stored_y[i]; }",
      "fn store_y(i: u32, value: vec4f) { stored_y[i] = value; }",
      "struct Params { count: u32, shift: i32, factor: f32, rows: u32, columns: u32 }",
      "@group(0) @binding(2) var<uniform> params: Params;",
      "fn main() {}",
    ]);
    expect(kernel.bindings).toEqual([
      { name: "x", type: "array<f32>", access: "read" },
      { name: "y", type: "array<vec4f>", access: "read_write" },
    ]);
    const view = new DataView(kernel.uniforms!);
    expect(view.byteLength).toBe(32);
    expect([view.getUint32(0, true), view.getInt32(4, true), view.getFloat32(8, true)]).toEqual([7, -2, 0.5]);
  });

  it("refuses a fraction where a whole number belongs", () => {
    const params = { count: u32(2.5) };
    expect(() =>
      defineKernel({ label: "demo", read: {}, write: {}, params, workgroups: [1, 1, 1], body: "" }),
    ).toThrow("demo: count = 2.5 is not an integer.");
  });
});

describe("linearGrid", () => {
  it("folds what passes the adapter's limit into y, and covers every item", () => {
    const target = { ...paperTarget, maxWorkgroupsPerDimension: 10 };
    expect(linearGrid(target, 640, 64)).toEqual([10, 1, 1]);
    expect(linearGrid(target, 641, 64)).toEqual([10, 2, 1]);
    expect(linearGrid(target, 0, 64)).toEqual([1, 1, 1]);
  });
});
