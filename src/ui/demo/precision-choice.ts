import { PRECISIONS } from "../../config/precision.ts";
import type { Precision } from "../../config/precision.ts";
import { h } from "../page/dom.ts";
import { choice } from "./controls.ts";

/** What the page begins with: as the model was trained where the adapter has it, as `npm run predict` does; and why. */
export function firstPrecision(
  trained: Precision,
  hasHalf: boolean,
): { readonly precision: Precision; readonly reason: string } {
  if (hasHalf) {
    const half = "f16 stores what lies between the layers in half the memory";
    return { precision: trained, reason: `The model was trained in ${trained}; ${half}.` };
  }
  const lacking = "This adapter has no f16 (the WebGPU feature shader-f16)";
  return {
    precision: "f32",
    reason: trained === "f16" ? `${lacking}, which the model was trained in.` : `${lacking}.`,
  };
}

/** Radio buttons for what activations are stored in, and a sentence on it. */
export function precisionChoice(
  { precision, reason }: ReturnType<typeof firstPrecision>,
  hasHalf: boolean,
  onChoose: (precision: Precision) => void,
): {
  readonly element: HTMLElement;
  setReady(ready: boolean): void;
} {
  const { element, inputs } = choice(
    "Precision",
    PRECISIONS.map((name) => [name, name]),
  );
  for (const input of inputs) {
    input.checked = input.value === precision;
    input.addEventListener("change", () => onChoose(input.value as Precision));
  }
  const setReady = (ready: boolean): void => {
    for (const input of inputs) input.disabled = !ready || !hasHalf;
  };
  setReady(false);
  return {
    element: h("div", { class: "precision" }, element, h("p", { class: "muted note" }, reason)),
    setReady,
  };
}
