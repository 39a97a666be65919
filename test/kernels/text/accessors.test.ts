import { describe, expect, it } from "vitest";
import type { StorageTypes } from "../../../src/kernels/text/accessors.ts";
import { defineKernel, withStorage } from "../../../src/kernels/kernel.ts";
import type { KernelDefinition } from "../../../src/kernels/kernel.ts";
import { useTint } from "../../helpers/tint.ts";

const kernel = (definition: Partial<KernelDefinition> = {}) =>
  defineKernel({
    label: "example",
    read: { x: "array<vec4f>", index: "array<u32>" },
    write: { y: "array<f32>" },
    workgroups: [1, 1, 1],
    body: "",
    ...definition,
  });
const lines = (wgsl: string): string[] => wgsl.split("\n");

describe("a kernel's buffers", () => {
  it("are declared with what loads from and stores to them", () => {
    expect(lines(kernel({ body: "body" }).wgsl)).toEqual([
      "@group(0) @binding(0) var<storage, read> stored_x: array<vec4f>;",
      "fn load_x(i: u32) -> vec4f { return stored_x[i]; }",
      "@group(0) @binding(1) var<storage, read> stored_index: array<u32>;",
      "fn load_index(i: u32) -> u32 { return stored_index[i]; }",
      "@group(0) @binding(2) var<storage, read_write> stored_y: array<f32>;",
      "fn load_y(i: u32) -> f32 { return stored_y[i]; }",
      "fn store_y(i: u32, value: f32) { stored_y[i] = value; }",
      "body",
    ]);
  });

  it("widen and round where they hold f16, which the text enables before anything else", () => {
    const all = kernel({ enable: "enable subgroups;", body: "body" });
    const { wgsl, bindings } = withStorage(all, { x: "f16", y: "f16" });
    expect(lines(wgsl)).toEqual([
      "enable f16;",
      "enable subgroups;",
      "@group(0) @binding(0) var<storage, read> stored_x: array<vec4h>;",
      "fn load_x(i: u32) -> vec4f { return vec4f(stored_x[i]); }",
      "@group(0) @binding(1) var<storage, read> stored_index: array<u32>;",
      "fn load_index(i: u32) -> u32 { return stored_index[i]; }",
      "@group(0) @binding(2) var<storage, read_write> stored_y: array<f16>;",
      "fn load_y(i: u32) -> f32 { return f32(stored_y[i]); }",
      "fn store_y(i: u32, value: f32) { stored_y[i] = f16(value); }",
      "body",
    ]);
    expect(bindings.map(({ name, type, storage }) => [name, type, storage])).toEqual([
      ["x", "array<vec4f>", "f16"],
      ["index", "array<u32>", undefined],
      ["y", "array<f32>", "f16"],
    ]);
  });

  it("may each be stored in another type, whatever they were stored in before", () => {
    const half = withStorage(kernel(), { x: "f16" });
    expect(withStorage(half, { y: "f16" })).toEqual(withStorage(kernel(), { x: "f16", y: "f16" }));
    expect(withStorage(half, {})).toBe(half);
  });

  it("keep their own names where they hold no numbers", () => {
    const write = {
      count: "array<atomic<u32>>",
      points: "array<Point>",
      sum: "atomic<u32>",
      few: "array<vec2<f32>, 4>",
    };
    expect(lines(kernel({ read: {}, write, body: "" }).wgsl).slice(0, 6)).toEqual([
      "@group(0) @binding(0) var<storage, read_write> count: array<atomic<u32>>;",
      "@group(0) @binding(1) var<storage, read_write> points: array<Point>;",
      "@group(0) @binding(2) var<storage, read_write> sum: atomic<u32>;",
      "@group(0) @binding(3) var<storage, read_write> stored_few: array<vec2<f32>, 4>;",
      "fn load_few(i: u32) -> vec2<f32> { return stored_few[i]; }",
      "fn store_few(i: u32, value: vec2<f32>) { stored_few[i] = value; }",
    ]);
  });

  it("hold f16 only where they are told to, and can", () => {
    const refused =
      (name: string, type = "array<f32>") =>
      () =>
        withStorage(kernel({ read: { x: type } }), { [name]: "f16" });
    expect(refused("x", "array<u32>")).toThrow('example: "x", array<u32>, cannot hold f16.');
    expect(refused("x", "array<vec2f>")).toThrow('example: "x", array<vec2f>, cannot hold f16.');
    expect(refused("x", "array<atomic<u32>>")).toThrow("cannot hold f16.");
    expect(refused("z")).toThrow('example has no binding "z".');
  });
});

describe("Dawn's compiler", () => {
  const compile = useTint();
  /** What it says of a kernel with such a `main`, stored in f32 and in f16. */
  const verdict = async (body: string): Promise<string[]> => {
    const main = `@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { ${body} }`;
    const all: StorageTypes[] = [{}, { x: "f16", y: "f16" }];
    const verdicts = all.map((storage) => compile(withStorage(kernel({ body: main }), storage)));
    return (await Promise.all(verdicts)).map(({ messages }) => messages.join("\n"));
  };

  it("takes loads and stores wherever an expression or a statement may be", async () => {
    const body = `
      let i = id.x; var sum = load_x(i)[1] + load_x(u32(load_y(u32(load_x(0).x)))).y;
      store_y(i, sum); store_y(i + 1, load_y(i) * (load_y(i + 1) - 2)); if (load_y(i) == 0) { store_y(0, 1); }
      for (store_y(i, 0); load_y(i) < 4; store_y(i, load_y(i) + 1)) { sum += load_y(i); }
      store_y(i, select(sum, load_y(2), sum > 0)); // stored_x is a comment; so is y[i] =
      `;
    expect(await verdict(body)).toEqual(["", ""]);
  });

  it.each([
    ["store_y(id.x, x[id.x].x);", "unresolved value 'x'"],
    ["y[id.x] = 1.0;", "unresolved value 'y'"],
    ["store_x(id.x, vec4f());", "unresolved call target 'store_x'"],
    [
      "store_y(id.x, load_x(id.x));",
      "type mismatch for argument 2 in call to 'store_y', expected 'f32', got 'vec4<f32>'",
    ],
    ["load_y(id.x) = 1.0;", "cannot assign"],
  ])("refuses what goes around them: %s", async (body, message) => {
    for (const messages of await verdict(body)) expect(messages).toContain(message);
  });
});
