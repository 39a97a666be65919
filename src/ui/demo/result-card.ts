import type { ClassShare } from "../../masks/class-shares.ts";
import { facts, h } from "../page/dom.ts";
import { legend } from "./legend.ts";

export interface Result {
  readonly shares: readonly ClassShare[];
  readonly adapter: string;
  /** Of this photo's run on the GPU. */
  readonly milliseconds: number;
  readonly compileMilliseconds: number;
  /** Whether it was the first run, in which drivers finish what they have compiled. */
  readonly first: boolean;
}

export interface ResultCardEvents {
  readonly onHighlight: (label: number | null) => void;
  readonly onMask: () => void;
  readonly onOverlay: () => void;
}

/** Classes, times and downloads of the photo that is shown. */
export function resultCard({ onHighlight, onMask, onOverlay }: ResultCardEvents): {
  readonly element: HTMLElement;
  show(result: Result | null): void;
  /** Whether there is something to save, and nothing else to do. */
  setReady(ready: boolean): void;
} {
  const classes = legend(onHighlight);
  const times = h("div", { class: "times" });
  const mask = h("button", { type: "button" }, "Save mask");
  const overlay = h("button", { type: "button" }, "Save picture");
  mask.addEventListener("click", onMask);
  overlay.addEventListener("click", onOverlay);
  const downloads = h("div", { class: "row" }, mask, overlay);
  mask.disabled = overlay.disabled = true;
  let firstRun: number | null = null;
  return {
    element: h("div", { class: "result" }, classes.element, downloads, times),
    setReady(ready) {
      mask.disabled = overlay.disabled = !ready;
    },
    show(result) {
      classes.show(result?.shares ?? []);
      times.replaceChildren();
      if (!result) return;
      const { milliseconds, compileMilliseconds, first, adapter } = result;
      if (first) firstRun = milliseconds;
      times.append(
        facts([
          ["GPU run", duration(milliseconds)],
          ["first GPU run", firstRun === null ? "–" : duration(firstRun)],
          ["compiling before it", duration(compileMilliseconds)],
          ["adapter", adapter],
        ]),
      );
    },
  };
}

/** `3.4 ms`, `45 ms`, `1.28 s`. */
function duration(milliseconds: number): string {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toPrecision(3)} s`;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}
