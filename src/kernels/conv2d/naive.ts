import { defineKernel, linearGrid, linearIndex, i32, u32 } from "../kernel.ts";
import type { Kernel, KernelTarget } from "../kernel.ts";
import type { Conv2dGeometry } from "./geometry.ts";

const params = (g: Conv2dGeometry, count: number) => ({
  count: u32(count),
  h: i32(g.inHeight),
  w: i32(g.inWidth),
  ci: i32(g.inChannels),
  oh: i32(g.outHeight),
  ow: i32(g.outWidth),
  co: i32(g.outChannels),
  kh: i32(g.kernelHeight),
  kw: i32(g.kernelWidth),
  sy: i32(g.strideY),
  sx: i32(g.strideX),
  pt: i32(g.padTop),
  pl: i32(g.padLeft),
  n: i32(g.batch),
});
const main = (body: string) => `@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  ${linearIndex(64)}
  if (index >= params.count) { return; }
  let p = params; var i = i32(index); var sum = 0.0;
${body}
}`;
export function conv2dForward(target: KernelTarget, g: Conv2dGeometry): Kernel {
  const count = g.batch * g.outHeight * g.outWidth * g.outChannels;
  return defineKernel({
    label: "conv2d_forward",
    read: { x: "array<f32>", w: "array<f32>" },
    write: { y: "array<f32>" },
    params: params(g, count),
    workgroups: linearGrid(target, count, 64),
    body: main(`
  let c = i % p.co; i /= p.co; let ox = i % p.ow; i /= p.ow; let oy = i % p.oh; let b = i / p.oh;
  for (var ky = 0; ky < p.kh; ky++) { let iy = oy*p.sy + ky - p.pt; if (iy < 0 || iy >= p.h) { continue; }
  for (var kx = 0; kx < p.kw; kx++) { let ix = ox*p.sx + kx - p.pl; if (ix < 0 || ix >= p.w) { continue; }
    let xb = ((b*p.h+iy)*p.w+ix)*p.ci; let wb = (ky*p.kw+kx)*p.ci*p.co + c;
    for (var k = 0; k < p.ci; k++) { sum += x[xb+k]*w[wb+k*p.co]; } } }
  y[index] = sum;`),
  });
}
export function conv2dBackwardData(target: KernelTarget, g: Conv2dGeometry): Kernel {
  const count = g.batch * g.inHeight * g.inWidth * g.inChannels;
  return defineKernel({
    label: "conv2d_backward_data",
    read: { dy: "array<f32>", w: "array<f32>" },
    write: { dx: "array<f32>" },
    params: params(g, count),
    workgroups: linearGrid(target, count, 64),
    body: main(`
  let c = i % p.ci; i /= p.ci; let ix = i % p.w; i /= p.w; let iy = i % p.h; let b = i / p.h;
  for (var ky = 0; ky < p.kh; ky++) { let ty = iy + p.pt - ky; if (ty < 0 || ty % p.sy != 0 || ty / p.sy >= p.oh) { continue; }
  for (var kx = 0; kx < p.kw; kx++) { let tx = ix + p.pl - kx; if (tx < 0 || tx % p.sx != 0 || tx / p.sx >= p.ow) { continue; }
    let yb = ((b*p.oh+ty/p.sy)*p.ow+tx/p.sx)*p.co; let wb = ((ky*p.kw+kx)*p.ci+c)*p.co;
    for (var k = 0; k < p.co; k++) { sum += dy[yb+k]*w[wb+k]; } } }
  dx[index] = sum;`),
  });
}
export function conv2dBackwardWeights(
  target: KernelTarget,
  g: Conv2dGeometry,
): { partial: Kernel; splits: number } {
  const count = g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels;
  return {
    splits: 1,
    partial: defineKernel({
      label: "conv2d_backward_weights",
      read: { x: "array<f32>", dy: "array<f32>" },
      write: { dw: "array<f32>" },
      params: params(g, count),
      workgroups: linearGrid(target, count, 64),
      body: main(`
  let c = i % p.co; i /= p.co; let k = i % p.ci; i /= p.ci; let kx = i % p.kw; let ky = i / p.kw;
  for (var b = 0; b < p.n; b++) { for (var oy = 0; oy < p.oh; oy++) { let iy = oy*p.sy + ky - p.pt; if (iy < 0 || iy >= p.h) { continue; }
  for (var ox = 0; ox < p.ow; ox++) { let ix = ox*p.sx + kx - p.pl; if (ix < 0 || ix >= p.w) { continue; }
    sum += x[((b*p.h+iy)*p.w+ix)*p.ci+k]*dy[((b*p.oh+oy)*p.ow+ox)*p.co+c]; } } }
  dw[index] = sum;`),
    }),
  };
}
export function sumPartials(_t: KernelTarget, _c: number, _s: number): Kernel {
  throw new Error("naive has one split");
}
