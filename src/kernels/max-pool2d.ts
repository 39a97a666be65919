import type { Kernel, KernelTarget } from "./kernel.ts";
import { poolKernel } from "./text/pool2d.ts";
import type { PoolGeometry } from "./text/pool2d-geometry.ts";

/**
 * Largest value of each window and where it was found: `x` `[N, H, W, C]` to `y` and `positions` `[N, OH, OW, C]`. A
 * position is `ky · poolWidth + kx` (u32); of equal values the first in row-major order wins, as in TensorFlow.
 */
export function maxPool2dForward(target: KernelTarget, geometry: PoolGeometry): Kernel {
  return poolKernel(target, geometry, "window", ({ float, uint }) => ({
    label: "max_pool2d_forward",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>`, positions: `array<${uint}>` },
    body: /* wgsl */ `
    var largest = ${float}(-0x1.fffffep+127f);
    var found = ${uint}(u32(ys.x * params.poolWidth + xs.x));
    for (var ky = ys.x; ky < ys.y; ky++) {
      for (var kx = xs.x; kx < xs.y; kx++) {
        let iy = top + ky;
        let ix = left + kx;
        let cy = clamp(iy, 0, params.inputHeight - 1);
        let cx = clamp(ix, 0, params.inputWidth - 1);
        let pixel = u32((image * params.inputHeight + cy) * params.inputWidth + cx);
        let value = select(${float}(0), load_x(pixel * params.channels + channel), iy == cy && ix == cx);
        let better = value > largest;
        largest = select(largest, value, better);
        found = select(found, ${uint}(u32(ky * params.poolWidth + kx)), better);
      }
    }
    let at = row * params.channels + channel;
    store_y(at, largest);
    store_positions(at, found);`,
  }));
}

/**
 * Gradient of {@link maxPool2dForward} by its input: each pixel gathers `dy` from the windows that found their largest
 * value in it. `positions`, `dy`: `[N, OH, OW, C]`; `dx`: `[N, H, W, C]`.
 */
export function maxPool2dBackward(target: KernelTarget, geometry: PoolGeometry): Kernel {
  return poolKernel(target, geometry, "pixel", ({ float, uint }) => ({
    label: "max_pool2d_backward",
    read: { positions: `array<${uint}>`, dy: `array<${float}>` },
    write: { dx: `array<${float}>` },
    body: /* wgsl */ `
    var total = ${float}(0);
    for (var oy = ys.x; oy <= ys.y; oy++) {
      for (var ox = xs.x; ox <= xs.y; ox++) {
        let here = u32((fromTop - oy * STRIDE_Y) * params.poolWidth + fromLeft - ox * STRIDE_X);
        let window = u32((image * params.outputHeight + oy) * params.outputWidth + ox);
        let at = window * params.channels + channel;
        total += select(${float}(0), load_dy(at), load_positions(at) == ${uint}(here));
      }
    }
    store_dx(row * params.channels + channel, total);`,
  }));
}
