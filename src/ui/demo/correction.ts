import { classColour } from "../../masks/palette.ts";
import { h, setText } from "../page/dom.ts";
import { choice, field, shortcuts } from "./controls.ts";
import { lossCurve } from "./loss-curve.ts";
import { Painting, regionAt, UNPAINTED } from "./painting.ts";
import type { Point } from "./painting.ts";
import type { Stage } from "./stage.ts";

export type Tool = "look" | "brush" | "fill" | "erase";

export interface CorrectionEvents {
  /** Asked to train for so many steps. */
  readonly onLearn: (steps: number, learningRate: number) => void;
  readonly onStop: () => void;
  readonly onReset: () => void;
  readonly onSay: (sentence: string) => void;
}

/** What the panel shows besides the tools. */
export interface CorrectionState {
  /** Whether there is a photo with labels. */
  readonly ready: boolean;
  /** Whether there is work going on. */
  readonly busy: boolean;
  /** Whether that work is training. */
  readonly learning: boolean;
  /** Whether it has been trained since it was loaded. */
  readonly learned: boolean;
  readonly losses: readonly number[];
}

export interface Correction {
  readonly element: HTMLElement;
  readonly painting: Painting;
  /** Begins anew on a photo. */
  begin(stage: Stage, classNames: readonly string[]): void;
  /** What the network says of each pixel of the picture; regions of it can be filled. */
  setLabels(labels: Uint8Array): void;
  /** The class of a pixel of the picture: as painted, else as the network has it. */
  classAt(at: Point): string;
  show(state: CorrectionState): void;
  down(at: Point): void;
  move(from: Point, to: Point): void;
  key(key: string, at: Point): boolean;
  undo(): void;
}

const STEPS = 10;
/** Of RMSprop; see docs/in-the-browser.md for how it was chosen. */
const LEARNING_RATE = 1e-4;
/** Of the brush, its diameter in parts of the picture's longer side. */
const BRUSH = { least: 0.01, usual: 0.06, most: 0.25 };

/** The tools to paint what is right, and the button that has the network learn it. */
export function correction({ onLearn, onStop, onReset, onSay }: CorrectionEvents): Correction {
  let stage: Stage | null = null;
  let names: readonly string[] = [];
  let painting = new Painting({ width: 1, height: 1 });
  let labels: Uint8Array = new Uint8Array(1);
  let tool: Tool = "look";
  let state: CorrectionState = { ready: false, busy: false, learning: false, learned: false, losses: [] };

  const tools = choice("Tool", [
    ["look", "Look"],
    ["brush", "Brush"],
    ["fill", "Fill"],
    ["erase", "Erase"],
  ]);
  const swatch = h("i", { class: "swatch", "aria-hidden": "true" });
  const which = h("select", { id: "class" });
  const size = h("input", {
    ...{ id: "brush", type: "range", min: BRUSH.least, max: BRUSH.most, step: 0.005, value: BRUSH.usual },
  });
  const undoButton = h("button", { type: "button" }, "Undo");
  const clearButton = h("button", { type: "button" }, "Clear");
  const steps = h("input", {
    id: "steps",
    type: "number",
    min: 1,
    max: 500,
    step: 1,
    value: STEPS,
    required: true,
  });
  const learn = h("button", { type: "button", class: "main" }, "Learn");
  const reset = h("button", { type: "button" }, "Reset model");
  const note = h("p", { class: "muted note" });
  const curve = lossCurve();
  const element = h(
    "div",
    { class: "correction" },
    h(
      "div",
      { class: "tools" },
      tools.element,
      field("Class", which, swatch),
      field("Brush size", size),
      h("div", { class: "row" }, undoButton, clearButton),
      shortcuts(),
    ),
    h(
      "div",
      { class: "learning" },
      h("div", { class: "row" }, field("Steps", steps), learn, reset),
      note,
      curve.element,
    ),
  );

  const label = (): number => (tool === "erase" ? UNPAINTED : Number(which.value));
  const radius = (): number => (size.valueAsNumber * Math.max(painting.width, painting.height)) / 2;

  /** The button that lost the focus because it was disabled. */
  let unfocused: HTMLButtonElement | null = null;

  /** It has the focus again when it can be pressed again; if that is not to be, the picture has it. */
  function keepFocus(active: HTMLButtonElement | undefined, free: boolean): void {
    if (active?.disabled) unfocused = active;
    if (!unfocused || (unfocused.disabled && !free)) return;
    const elsewhere = ![document.body, unfocused].includes(document.activeElement as HTMLElement);
    if (!elsewhere && unfocused.disabled) stage?.focus();
    else if (!elsewhere) unfocused.focus();
    unfocused = null;
  }

  function update(): void {
    const free = state.ready && !state.busy;
    const painted = !painting.isEmpty;
    const active = [undoButton, clearButton, learn, reset].find(
      (button) => button === document.activeElement,
    );
    for (const control of [...tools.inputs, which, size]) control.disabled = !free;
    undoButton.disabled = clearButton.disabled = !free || painting.strokes === 0;
    learn.disabled = !state.learning && (!free || !painted);
    setText(learn, state.learning ? "Stop" : "Learn");
    reset.disabled = !free || !state.learned;
    swatch.style.background = classColour(Number(which.value || 0));
    setText(
      note,
      !state.ready
        ? "Label a photo first."
        : painted || state.learning
          ? "The painted pixels count as they are painted, the others half as much with the labels that they have now."
          : "Choose Brush or Fill, and paint what a part of the photo really is.",
    );
    keepFocus(active, free);
    stage?.setPainting(free && tool !== "look");
    stage?.setBrush(tool === "fill" ? null : radius());
  }

  function painted(): void {
    stage?.showPainting(painting, false);
    update();
  }

  /** What is seen of each pixel: paint where there is some, else labels. */
  const seen = (): Int16Array =>
    painting.labels.map((own, pixel) => (own === UNPAINTED ? labels[pixel] : own));

  function seenAt({ x, y }: Point): number {
    const pixel = Math.floor(y) * painting.width + Math.floor(x);
    return painting.labels[pixel] === UNPAINTED ? labels[pixel] : painting.labels[pixel];
  }

  function fillAt(at: Point): void {
    const region = regionAt(seen(), painting, at);
    painting.fill(label(), region);
    const share = `${((100 * region.length) / labels.length).toFixed(1)} %`;
    onSay(
      label() === UNPAINTED
        ? `Paint taken away from a region of ${share}.`
        : `Filled a region of ${share} with ${names[label()]}.`,
    );
    painted();
  }

  function brushAt(from: Point, to: Point): void {
    painting.line(from, to, radius());
    painted();
  }

  for (const input of tools.inputs) {
    input.addEventListener("change", () => {
      tool = input.value as Tool;
      update();
    });
  }
  which.addEventListener("change", update);
  size.addEventListener("input", update);
  const undo = (): void => {
    if (!state.ready || state.busy || painting.strokes === 0) return;
    stage?.cancelStroke();
    painting.undo();
    painted();
    onSay("The last stroke was taken back.");
  };
  undoButton.addEventListener("click", undo);
  clearButton.addEventListener("click", () => {
    stage?.cancelStroke();
    painting.clear();
    painted();
    onSay("All paint was taken away.");
  });
  learn.addEventListener("click", () => {
    if (state.learning) onStop();
    else if (steps.reportValidity()) onLearn(steps.valueAsNumber, LEARNING_RATE);
  });
  reset.addEventListener("click", onReset);
  update();

  return {
    element,
    get painting() {
      return painting;
    },
    undo,
    begin(on, classNames) {
      stage = on;
      stage.cancelStroke();
      names = classNames;
      painting = new Painting(on.size);
      labels = new Uint8Array(on.size.width * on.size.height);
      if (which.options.length !== names.length) {
        which.replaceChildren(...names.map((name, id) => h("option", { value: id }, name)));
      }
      painted();
    },
    setLabels(next) {
      labels = next;
      // What the network has made of the paint is beneath it.
      stage?.showPainting(painting, true);
    },
    classAt: (at) => names[seenAt(at)],
    show(next) {
      state = next;
      curve.show(state.losses);
      update();
    },
    down(at) {
      if (tool === "fill") return fillAt(at);
      painting.begin(label());
      brushAt(at, at);
    },
    move(from, to) {
      if (tool !== "fill") brushAt(from, to);
    },
    key(key, at) {
      if (!state.ready || state.busy) return false;
      if (key === "[" || key === "]") {
        size.valueAsNumber += key === "[" ? -0.01 : 0.01;
        update();
        return true;
      }
      if (key === "f" || key === "F") {
        fillAt(at);
        return true;
      }
      if (key === " " || key === "Enter") {
        if (tool === "look") onSay(`Here: ${names[seenAt(at)]}.`);
        else if (tool === "fill") fillAt(at);
        else {
          painting.begin(label());
          brushAt(at, at);
          onSay(tool === "erase" ? "Paint taken away." : `Painted ${names[label()]}.`);
        }
        return true;
      }
      return false;
    },
  };
}
