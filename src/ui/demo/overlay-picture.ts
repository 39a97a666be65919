import { classColour } from "../../masks/palette.ts";
import type { ClassShare } from "../../masks/class-shares.ts";
import { shareText } from "./share-text.ts";

const ROW = 26;
const COLUMN = 240;
const MARGIN = 20;
const FONT = "15px Inter, system-ui, sans-serif";

export interface OverlayPictureOptions {
  readonly photo: HTMLCanvasElement;
  /** Of the photo's size, in the colours of the classes. */
  readonly labels: ImageData;
  readonly opacity: number;
  /** The largest first. */
  readonly shares: readonly ClassShare[];
}

/** PNG of a photo under its labels, with a legend beneath. */
export function overlayPicture({ photo, labels, opacity, shares }: OverlayPictureOptions): Promise<Blob> {
  const columns = Math.max(1, Math.floor((photo.width - 2 * MARGIN) / COLUMN));
  const rows = Math.ceil(shares.length / columns);
  const canvas = new OffscreenCanvas(photo.width, photo.height + rows * ROW + 2 * MARGIN);
  const context = canvas.getContext("2d")!;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(photo, 0, 0);
  const over = new OffscreenCanvas(photo.width, photo.height);
  over.getContext("2d")!.putImageData(labels, 0, 0);
  context.globalAlpha = opacity;
  context.drawImage(over, 0, 0);
  context.globalAlpha = 1;

  context.font = FONT;
  context.textBaseline = "middle";
  const pitch = (photo.width - 2 * MARGIN) / columns;
  shares.forEach(({ id, name, share }, i) => {
    const x = MARGIN + (i % columns) * pitch;
    const y = photo.height + MARGIN + Math.floor(i / columns) * ROW;
    context.fillStyle = classColour(id);
    context.fillRect(x, y + 5, 16, 16);
    context.fillStyle = "#1a1f29";
    const value = shareText(share);
    const right = x + pitch - 24;
    const room = pitch - 24 - 26 - context.measureText(value).width - 8;
    context.fillText(name, x + 26, y + 14, Math.max(20, room));
    context.textAlign = "right";
    context.fillText(value, right, y + 14);
    context.textAlign = "left";
  });
  return canvas.convertToBlob({ type: "image/png" });
}
