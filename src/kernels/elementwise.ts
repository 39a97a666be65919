import type { Kernel, KernelTarget } from "./kernel.ts";
import { perItemKernel } from "./text/per-item.ts";
import { shapeOfItems, valueText } from "./text/value.ts";
import type { Chain } from "./text/value.ts";

/**
 * `y`, of the shape of the chain's items: at each place the value of its last step. One text serves all batch sizes, and all numbers among
 * the arguments.
 */
export function elementwise(target: KernelTarget, label: string, chain: Chain): Kernel {
  const { width, type, ...text } = valueText(chain);
  const count = shapeOfItems(chain).reduce((product, extent) => product * extent, 1);
  return perItemKernel(target, count / width, {
    label,
    ...text,
    write: { y: `array<${type}>` },
    body: "store_y(index, value(index));",
  });
}
