import { expect, it } from "vitest";
import { conv2dGeometry } from "../../../src/kernels/conv2d/geometry.ts";
import { pixelWalk } from "../../../src/kernels/conv2d/pixel-walk.ts";
import { defineKernel, i32, u32 } from "../../../src/kernels/kernel.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";

const gpu = useGpu();

it("goes over lines and whole images, and comes to where a division leads", async () => {
  // Images of 2×3 results, so that 13 pixels are two of them and one more.
  const g = conv2dGeometry([20, 7, 8, 1], [3, 3, 1, 1], { strides: [3, 2], padding: "valid" });
  expect([g.outHeight, g.outWidth]).toEqual([2, 3]);
  const strides = [1, 13, 2, 6, 5];
  const first = 4;
  const walk = pixelWalk(g, strides);
  const kernel = defineKernel({
    label: "walk",
    read: {},
    write: { y: "array<f32>" },
    params: {
      ...walk.params,
      ...{ outWidth: u32(g.outWidth), outHeight: u32(g.outHeight), first: u32(first) },
      ...{ inWidth: i32(g.inWidth), inHeight: i32(g.inHeight) },
      ...{ strideX: i32(g.strideX), strideY: i32(g.strideY) },
    },
    workgroups: [1, 1, 1],
    body: /* wgsl */ `
@compute @workgroup_size(1)
fn main() {
  ${walk.begin("params.first")}
  var at = 0u;
  for (var turn = 0u; turn < 3u; turn++) {
    ${strides
      .map(
        (stride) => `store_y(at, f32(x)); store_y(at + 1u, f32(y)); store_y(at + 2u, f32(place));
    at += 3u;
    ${walk.advance(stride)}`,
      )
      .join("\n    ")}
  }
}`,
  });
  const places = 3 * strides.length;
  const { y: found } = await runKernels(gpu(), [kernel], { y: new Float32Array(3 * places) }, ["y"]);
  let pixel = first;
  for (let i = 0; i < places; i++) {
    const line = Math.floor(pixel / g.outWidth);
    const image = Math.floor(line / g.outHeight);
    const [x, y] = [(pixel % g.outWidth) * 2, (line % g.outHeight) * 3];
    const place = (image * g.inHeight + y) * g.inWidth + x;
    expect([...found.slice(3 * i, 3 * i + 3)], `pixel ${pixel}`).toEqual([x, y, place]);
    pixel += strides[i % strides.length];
  }
});
