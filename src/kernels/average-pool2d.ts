import type { Kernel, KernelTarget } from "./kernel.ts";
import { poolKernel } from "./text/pool2d.ts";
import type { PoolGeometry } from "./text/pool2d-geometry.ts";

/**
 * Mean of each window: `x` `[N, H, W, C]` to `y` `[N, OH, OW, C]`. With `same` padding a window counts only its pixels
 * inside the image, as in TensorFlow; explicit zeros count.
 */
export function averagePool2dForward(target: KernelTarget, geometry: PoolGeometry): Kernel {
  return poolKernel(target, geometry, "window", ({ float }) => ({
    label: "average_pool2d_forward",
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    body: /* wgsl */ `
    let count = f32((ys.y - ys.x) * (xs.y - xs.x));
    // What counts as zero adds nothing, so only pixels inside the image are read.
    let first = vec2i(max(top + ys.x, 0), max(left + xs.x, 0));
    let end = vec2i(min(top + ys.y, params.inputHeight), min(left + xs.y, params.inputWidth));
    var total = ${float}(0);
    for (var iy = first.x; iy < end.x; iy++) {
      for (var ix = first.y; ix < end.y; ix++) {
        let pixel = u32((image * params.inputHeight + iy) * params.inputWidth + ix);
        total += load_x(pixel * params.channels + channel);
      }
    }
    store_y(row * params.channels + channel, total / count);`,
  }));
}

/**
 * Gradient of {@link averagePool2dForward}: each pixel gathers its share of `dy` from the windows that cover it. `dy`:
 * `[N, OH, OW, C]`; `dx`: `[N, H, W, C]`.
 */
export function averagePool2dBackward(target: KernelTarget, geometry: PoolGeometry): Kernel {
  return poolKernel(target, geometry, "pixel", ({ float }) => ({
    label: "average_pool2d_backward",
    read: { dy: `array<${float}>` },
    write: { dx: `array<${float}>` },
    body: /* wgsl */ `
    var total = ${float}(0);
    for (var oy = ys.x; oy <= ys.y; oy++) {
      let high = windowRange(oy * STRIDE_Y - params.padTop, params.poolHeight, params.inputHeight);
      for (var ox = xs.x; ox <= xs.y; ox++) {
        let wide = windowRange(ox * STRIDE_X - params.padLeft, params.poolWidth, params.inputWidth);
        let window = u32((image * params.outputHeight + oy) * params.outputWidth + ox);
        let count = f32((high.y - high.x) * (wide.y - wide.x));
        total += load_dy(window * params.channels + channel) / count;
      }
    }
    store_dx(row * params.channels + channel, total);`,
  }));
}
