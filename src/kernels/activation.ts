import type { Kernel, KernelTarget } from "./kernel.ts";
import {
  activationGradientOfOutputText,
  activationGradientText,
  activationText,
  gradientFollowsFromOutput,
} from "./text/activation.ts";
import type { ActivationKind } from "./text/activation.ts";
import { laneFor } from "./text/lane.ts";
import { perItemKernel } from "./text/per-item.ts";

/** `y = f(x)`, elementwise; `x`, `y`: `[count]`. */
export function activationForward(target: KernelTarget, count: number, kind: ActivationKind): Kernel {
  const { width, float } = laneFor(count);
  return perItemKernel(target, count / width, {
    label: `${kind}_forward`,
    read: { x: `array<${float}>` },
    write: { y: `array<${float}>` },
    body: `let x = load_x(index); store_y(index, ${activationText(kind, "x", float)});`,
  });
}

/**
 * `dx = dy·f'(x)`, elementwise; all `[count]`. Reads the output `y` where that is enough, so that the input need not be kept;
 * otherwise the input `x`.
 */
export function activationBackward(target: KernelTarget, count: number, kind: ActivationKind): Kernel {
  const { width, float } = laneFor(count);
  const kept = gradientFollowsFromOutput(kind) ? "y" : "x";
  const text = kept === "y" ? activationGradientOfOutputText : activationGradientText;
  return perItemKernel(target, count / width, {
    label: `${kind}_backward`,
    read: { [kept]: `array<${float}>`, dy: `array<${float}>` },
    write: { dx: `array<${float}>` },
    body: `let kept = load_${kept}(index); let dy = load_dy(index); store_dx(index, ${text(kind, "kept", "dy", float)});`,
  });
}
