import { allChannels } from "../text/channel-range.ts";
import type { Kernel, KernelTarget } from "../kernel.ts";
import { conv2dBackwardDataFused } from "./backward-data.ts";
import { conv2dBackwardWeights } from "./backward-weights.ts";
import { conv2dForwardFused } from "./forward.ts";
import { conv2dGeometry } from "./geometry.ts";
import { activationLoad, normGradientLoad } from "./load.ts";
import { momentsStore, normGradientStore } from "./store.ts";
import { tileCandidates } from "./tiles.ts";

/**
 * A digest of the matrix kernels' texts for an adapter, and of the tiles that there are: what was measured with other ones
 * says nothing of these. Taken of a few products that between them load, sum and store in the ways there are.
 */
export async function matrixKernelsDigest(target: KernelTarget): Promise<string> {
  const usual = { ...target, tileFor: undefined };
  const text = sampleProducts(usual)
    .map(({ wgsl, tiling }) => wgsl + JSON.stringify(tileCandidates(usual, tiling!.request)))
    .join("\n");
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A few products that between them load, sum and store in the ways there are; of images stored as f16 too, where the adapter
 * multiplies those in another way.
 */
export function sampleProducts(target: KernelTarget): Kernel[] {
  return [false, ...(target.subgroupMatrix ? [true] : [])].flatMap((half) => products(target, half));
}

function products(target: KernelTarget, half: boolean): Kernel[] {
  const plain = ([channels, filters]: readonly [number, number]): Kernel[] => {
    const g = conv2dGeometry([2, 8, 8, channels], [3, 3, channels, filters], { strides: 2, padding: "same" });
    return [
      conv2dForwardFused(target, g, { half }).kernel,
      conv2dBackwardDataFused(target, g, { half }).kernel,
      conv2dBackwardWeights(target, g, { half }).partial,
    ];
  };
  const g = conv2dGeometry([2, 8, 8, 64], [3, 3, 64, 64], { strides: 1, padding: "same" });
  const range = allChannels(64);
  const planes = { size: 64, begin: 0 };
  const activation = (width: 4 | 1) => activationLoad("x", width, range, { ...planes, activation: "relu" });
  const gradient = (width: 4 | 1) =>
    normGradientLoad(width, { name: "dy", range }, { name: "y", range }, planes);
  return [
    ...[[8, 12] as const, [3, 5] as const].flatMap(plain),
    conv2dForwardFused(target, g, { load: activation(4), store: momentsStore("y", 64, range), half }).kernel,
    conv2dBackwardDataFused(target, g, {
      load: gradient(4),
      store: normGradientStore("dx", range, {
        before: range,
        activation: "relu",
        planes,
        stored: "accumulated",
      }),
      half,
    }).kernel,
    conv2dBackwardWeights(target, g, { left: activation, right: gradient, half }).partial,
  ];
}
