import { h } from "../page/dom.ts";
import { PhotoError, photoFrom } from "./photo.ts";
import type { PagePhoto } from "./photo.ts";

/**
 * Shows what the camera sees until a picture is taken.
 *
 * @returns null when somebody thinks better of it.
 * @throws PhotoError when there is no camera or it may not be used.
 */
export async function takePicture(): Promise<PagePhoto | null> {
  const stream = await openCamera();
  const video = h("video", { autoplay: true, playsinline: true, "aria-label": "What the camera sees" });
  video.muted = true;
  video.srcObject = stream;
  const take = h("button", { type: "submit", class: "main", value: "take" }, "Take the picture");
  const cancel = h("button", { type: "submit", value: "cancel", formnovalidate: true }, "Cancel");
  const dialog = h(
    "dialog",
    { "aria-label": "Camera" },
    h("form", { method: "dialog" }, video, h("div", { class: "row" }, take, cancel)),
  );
  document.body.append(dialog);
  try {
    dialog.showModal();
    take.disabled = true;
    video.addEventListener("loadeddata", () => {
      take.disabled = false;
      take.focus();
    });
    await new Promise<void>((resolve) => dialog.addEventListener("close", () => resolve(), { once: true }));
    if (dialog.returnValue !== "take") return null;
    return photoFrom(video, video.videoWidth, video.videoHeight, "camera");
  } finally {
    for (const track of stream.getTracks()) track.stop();
    dialog.remove();
  }
}

async function openCamera(): Promise<MediaStream> {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) throw new PhotoError("This browser hands out no camera here: choose a photo instead.");
  try {
    return await devices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch (error) {
    throw new PhotoError(
      (error as DOMException).name === "NotAllowedError"
        ? "The camera may not be used: allow it for this page in the browser, or choose a photo instead."
        : "There is no camera that can be used: choose a photo instead.",
      { cause: error },
    );
  }
}
