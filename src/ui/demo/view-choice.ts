import { h, setText } from "../page/dom.ts";
import { choice } from "./controls.ts";

/** What windows are told to do, as `slide` takes it. */
export interface WindowsUnderWay {
  readonly onProgress: (done: number, all: number) => void;
  readonly signal: AbortSignal;
}

/** How photos are shown to the network, and how far the windows are. */
export interface ViewChoice {
  readonly element: HTMLElement;
  /** Whether in windows. */
  readonly windows: boolean;
  setReady(ready: boolean): void;
  /** Shows how far `work` is; null where it was cancelled, and then photos are seen whole again. */
  follow<T>(work: (under: WindowsUnderWay) => Promise<T>): Promise<T | null>;
  /** Ends the windows that are under way. */
  cancel(): void;
}

const NOTE =
  "In windows the network sees a photo at its own size, part by part: for models that were trained on photos near their own size.";

/** Radio buttons, a sentence on them, and a bar with a button while windows are under way. */
export function viewChoice(onChoose: () => void): ViewChoice {
  const { element, inputs } = choice("View", [
    ["whole", "Whole photo"],
    ["windows", "Windows"],
  ]);
  const [whole, windows] = inputs;
  for (const input of inputs) input.addEventListener("change", onChoose);
  const setReady = (ready: boolean): void => {
    for (const input of inputs) input.disabled = !ready;
  };
  setReady(false);
  const bar = h("progress", { id: "windows", value: 0 });
  const label = h("label", { for: "windows" });
  const cancel = h("button", { type: "button" }, "Cancel");
  const under = h("div", { class: "row", hidden: true }, label, bar, cancel);
  let end: AbortController | null = null;
  cancel.addEventListener("click", () => {
    whole.checked = true;
    end?.abort();
  });
  return {
    element: h("div", { class: "view" }, element, h("p", { class: "muted note" }, NOTE), under),
    get windows() {
      return windows.checked;
    },
    setReady,
    async follow(work) {
      const { signal } = (end = new AbortController());
      bar.removeAttribute("value");
      setText(label, "Windows");
      under.hidden = false;
      try {
        return await work({
          signal,
          onProgress(done, all) {
            [bar.max, bar.value] = [all, done];
            setText(label, `Window ${done} of ${all}`);
          },
        });
      } catch (error) {
        if (error !== signal.reason) throw error;
        return null;
      } finally {
        under.hidden = true;
        end = null;
      }
    },
    cancel: () => end?.abort(),
  };
}
