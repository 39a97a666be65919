import { CLASSES } from "./points.ts";
import type { Points } from "./points.ts";
import { GRID } from "./network.ts";

type Colour = readonly [red: number, green: number, blue: number];

/** A colour of the style sheet, `#rrggbb`: light and dark have different ones. */
const named = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function colour(name: string): Colour {
  const hex = Number.parseInt(named(name).slice(1), 16);
  return [hex >> 16, (hex >> 8) & 255, hex & 255];
}

/** The context of a canvas that is cleared, in pixels of the style sheet and sharp on any screen, and its size. */
function prepare(canvas: HTMLCanvasElement): [CanvasRenderingContext2D, width: number, height: number] {
  const { clientWidth: width, clientHeight: height } = canvas;
  const [deviceWidth, deviceHeight] = [width, height].map((side) => Math.round(side * devicePixelRatio));
  canvas.width = deviceWidth;
  canvas.height = deviceHeight;
  const context = canvas.getContext("2d")!;
  context.scale(devicePixelRatio, devicePixelRatio);
  return [context, width, height];
}

/** The square from −1 to 1: the classes' colours, as likely as `probabilities` `[GRID², CLASSES]` has them, and the points. */
export function drawRegions(
  canvas: HTMLCanvasElement,
  probabilities: Float32Array,
  { x, labels }: Points,
): void {
  const colours = Array.from({ length: CLASSES }, (_, label) => colour(`--class-${label}`));
  const paper = colour("--panel");
  const image = new ImageData(GRID, GRID);
  for (let place = 0; place < GRID * GRID; place++) {
    for (let channel = 0; channel < 3; channel++) {
      let mixed = 0;
      for (let label = 0; label < CLASSES; label++)
        mixed += probabilities[CLASSES * place + label] * colours[label][channel];
      image.data[4 * place + channel] = 0.6 * paper[channel] + 0.4 * mixed;
    }
    image.data[4 * place + 3] = 255;
  }
  const grid = new OffscreenCanvas(GRID, GRID);
  grid.getContext("2d")!.putImageData(image, 0, 0);

  const [context, width, height] = prepare(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(grid, 0, 0, width, height);
  context.strokeStyle = named("--panel");
  labels.forEach((label, i) => {
    context.beginPath();
    context.arc(((x[2 * i] + 1) / 2) * width, ((1 - x[2 * i + 1]) / 2) * height, 4, 0, 2 * Math.PI);
    context.fillStyle = named(`--class-${label}`);
    context.fill();
    context.stroke();
  });
}

/** The loss of every step; from 0 to the largest, rounded up to halves. */
export function drawCurve(canvas: HTMLCanvasElement, losses: readonly number[]): void {
  const [context, width, height] = prepare(canvas);
  const [left, right, top, bottom] = [32, width - 8, 8, height - 24];
  const most = Math.max(0.5, Math.ceil(2 * Math.max(0, ...losses)) / 2);
  const last = Math.max(100, losses.length);
  const at = (step: number, loss: number): [number, number] => [
    left + ((step - 1) / (last - 1)) * (right - left),
    bottom - (loss / most) * (bottom - top),
  ];

  context.font = "12px system-ui, sans-serif";
  context.fillStyle = named("--muted");
  context.strokeStyle = named("--line");
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (let tick = 0; tick <= most; tick += 0.5) {
    const [x, y] = at(1, tick);
    context.fillText(tick.toFixed(1), x - 8, y);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(right, y);
    context.stroke();
  }
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillText("step 1", left, bottom + 8);
  context.textAlign = "right";
  context.fillText(String(last), right, bottom + 8);

  context.strokeStyle = named("--curve");
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.beginPath();
  losses.forEach((loss, i) => context.lineTo(...at(i + 1, loss)));
  context.stroke();
}
