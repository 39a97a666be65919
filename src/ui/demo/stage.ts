import type { Size } from "../../data/resize.ts";
import { h } from "../page/dom.ts";
import { UNPAINTED } from "./painting.ts";
import type { Painting, Point } from "./painting.ts";
import type { PagePhoto } from "./photo.ts";
import { tint } from "./tint.ts";
import { classColour } from "../../masks/palette.ts";
import { viewSize } from "./view-size.ts";

/** What a hand does over the picture, in its pixels. */
export interface StageEvents {
  readonly onDown: (at: Point) => void;
  readonly onMove: (from: Point, to: Point) => void;
  /** Where the pointer or the cursor of the keys is; null where there is none. */
  readonly onHover: (at: Point | null) => void;
  /** A key other than those that move the cursor. */
  readonly onKey: (key: string, at: Point) => boolean;
}

/** The photo, the labels over it, the paint over both, and the cursor of the keys. */
export interface Stage {
  readonly element: HTMLElement;
  /** Of the picture; the photo's own, but for very small and very large ones. */
  readonly size: Size;
  showPhoto(photo: PagePhoto): void;
  showLabels(labels: Uint8Array | null, highlight: number | null): void;
  /** @param faint whether what is beneath the paint is to be seen. */
  showPainting(painting: Painting, faint: boolean): void;
  /** How far the labels cover the photo, 0 to 1. */
  setOpacity(opacity: number): void;
  /** The brush's radius in pixels of the picture; null for none. */
  setBrush(radius: number | null): void;
  /** Whether a hand paints; otherwise it scrolls the page. */
  setPainting(on: boolean): void;
  /** Ends a movement that is under way: nothing more comes of it. */
  cancelStroke(): void;
  /** Gives the picture the keyboard's focus. */
  focus(): void;
  /** The photo itself. */
  readonly photoCanvas: HTMLCanvasElement;
}

/** How far an arrow key moves the cursor, in parts of the picture's longer side; with Shift a fifth of it. */
const STEP = 1 / 40;

/** @param background the class that is left clear, if one is; see `backgroundOf` */
export function stage(background: number | null, events: StageEvents): Stage {
  const { onDown, onMove, onHover, onKey } = events;
  const photoCanvas = h("canvas", { class: "photo", "aria-hidden": "true" });
  const labelCanvas = h("canvas", { class: "labels", "aria-hidden": "true" });
  const paintCanvas = h("canvas", {
    class: "paint",
    tabindex: 0,
    role: "application",
    "aria-label": "The photo with its labels. Arrow keys move a cursor, Space paints, F fills.",
    "aria-describedby": "shortcuts",
  });
  const brush = h("div", { class: "brush", "aria-hidden": "true", hidden: true });
  const element = h("div", { class: "stage" }, photoCanvas, labelCanvas, paintCanvas, brush);
  const canvases = [photoCanvas, labelCanvas, paintCanvas];
  let size: Size = { width: 1, height: 1 };
  let radius: number | null = null;
  let painting = false;
  let cursor: Point | null = null;

  const pointOf = (event: PointerEvent): Point => {
    const box = paintCanvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * size.width,
      y: ((event.clientY - box.top) / box.height) * size.height,
    };
  };
  const inside = ({ x, y }: Point): Point => ({
    x: Math.min(size.width - 0.5, Math.max(0.5, x)),
    y: Math.min(size.height - 0.5, Math.max(0.5, y)),
  });

  function hover(at: Point | null): void {
    cursor = at;
    onHover(at);
    placeBrush();
  }

  function placeBrush(): void {
    brush.hidden = cursor === null || !painting;
    if (cursor === null) return;
    const scale = paintCanvas.clientWidth / size.width;
    const diameter = Math.max(8, 2 * (radius ?? 6 / scale) * scale);
    brush.style.inlineSize = brush.style.blockSize = `${diameter}px`;
    brush.style.left = `${paintCanvas.offsetLeft + cursor.x * scale - diameter / 2}px`;
    brush.style.top = `${paintCanvas.offsetTop + cursor.y * scale - diameter / 2}px`;
    brush.classList.toggle("dot", radius === null);
  }

  /** Of the finger or mouse that paints: which it is and where it was last. */
  let stroke: { readonly pointer: number; last: Point } | null = null;
  paintCanvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !painting || stroke !== null) return;
    paintCanvas.setPointerCapture(event.pointerId);
    const at = inside(pointOf(event));
    stroke = { pointer: event.pointerId, last: at };
    hover(at);
    onDown(at);
  });
  paintCanvas.addEventListener("pointermove", (event) => {
    const at = inside(pointOf(event));
    hover(at);
    if (stroke?.pointer !== event.pointerId) return;
    onMove(stroke.last, at);
    stroke.last = at;
  });
  for (const name of ["pointerup", "pointercancel"] as const) {
    paintCanvas.addEventListener(name, ({ pointerId }) => {
      if (stroke?.pointer === pointerId) stroke = null;
    });
  }
  paintCanvas.addEventListener("pointerleave", () => hover(null));
  paintCanvas.addEventListener("blur", () => hover(null));

  paintCanvas.addEventListener("keydown", (event) => {
    const at = cursor ?? { x: size.width / 2, y: size.height / 2 };
    const moves: Record<string, readonly [number, number]> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = moves[event.key] as readonly [number, number] | undefined;
    if (move) {
      const step = Math.max(size.width, size.height) * STEP * (event.shiftKey ? 0.2 : 1);
      hover(inside({ x: at.x + move[0] * step, y: at.y + move[1] * step }));
    } else {
      if (!onKey(event.key, at)) return;
      hover(at);
    }
    event.preventDefault();
  });

  const draw = (canvas: HTMLCanvasElement, rgba: Uint8ClampedArray<ArrayBuffer>): void =>
    canvas.getContext("2d")!.putImageData(new ImageData(rgba, size.width, size.height), 0, 0);

  return {
    element,
    photoCanvas,
    get size() {
      return size;
    },
    showPhoto(photo) {
      size = viewSize(photo);
      for (const canvas of canvases) [canvas.width, canvas.height] = [size.width, size.height];
      element.style.setProperty("--ratio", String(size.width / size.height));
      const own = new OffscreenCanvas(photo.width, photo.height);
      const pixels = photo.pixels as Uint8ClampedArray<ArrayBuffer>;
      own.getContext("2d")!.putImageData(new ImageData(pixels, photo.width, photo.height), 0, 0);
      const context = photoCanvas.getContext("2d")!;
      context.imageSmoothingQuality = "high";
      context.drawImage(own, 0, 0, size.width, size.height);
      hover(null);
    },
    showLabels(labels, highlight) {
      if (labels === null) labelCanvas.getContext("2d")!.clearRect(0, 0, size.width, size.height);
      else draw(labelCanvas, tint({ ...size, labels, highlight, background }));
    },
    showPainting({ labels }, faint) {
      const rgba = new Uint8ClampedArray(4 * labels.length);
      const bytes = new Uint32Array(rgba.buffer);
      const colours = new Map<number, number>();
      labels.forEach((label, pixel) => {
        if (label === UNPAINTED) return;
        let colour = colours.get(label);
        if (colour === undefined)
          colours.set(label, (colour = littleEndian(classColour(label), faint ? 0x28 : 0xe6)));
        bytes[pixel] = colour;
      });
      draw(paintCanvas, rgba);
    },
    setOpacity(opacity) {
      labelCanvas.style.opacity = String(opacity);
    },
    setBrush(next) {
      radius = next;
      placeBrush();
    },
    setPainting(on) {
      painting = on;
      if (!on) stroke = null;
      element.classList.toggle("painting", on);
      placeBrush();
    },
    cancelStroke() {
      stroke = null;
    },
    focus: () => paintCanvas.focus(),
  };
}

/** `#rrggbb` and an alpha as the bytes of a pixel. */
function littleEndian(colour: string, alpha: number): number {
  const value = Number.parseInt(colour.slice(1), 16);
  return ((alpha << 24) | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}
