import { h } from "../page/dom.ts";
import { takePicture } from "./camera.ts";
import { fetchSamples } from "./model-file.ts";
import { decodePhoto, PhotoError } from "./photo.ts";
import type { PagePhoto } from "./photo.ts";

export interface SourcesEvents {
  readonly onPhoto: (photo: PagePhoto) => void;
  /** Told in a sentence why there is no photo. */
  readonly onProblem: (sentence: string) => void;
}

/** Where photos come from: a file that is chosen, dropped or pasted, the camera, the server's drawings. */
export function sources({ onPhoto, onProblem }: SourcesEvents): HTMLElement {
  const input = h("input", {
    type: "file",
    accept: "image/*",
    class: "unseen",
    tabindex: -1,
    "aria-label": "Photo",
  });
  const choose = h("button", { type: "button", class: "main" }, "Choose a photo");
  const camera = h("button", { type: "button" }, "Use the camera");
  const hint = h("p", { class: "muted hint" }, "or drop or paste one anywhere on this page");
  const samples = h("ul", { class: "samples", "aria-label": "Drawn people to try" });

  // Of two that are decoded at once the one that was asked for last counts.
  let asked = 0;
  async function bring(work: () => Promise<PagePhoto | null>): Promise<void> {
    const mine = ++asked;
    try {
      const photo = await work();
      if (photo && mine === asked) onPhoto(photo);
    } catch (error) {
      if (mine !== asked) return;
      const { message } = error as Error;
      onProblem(
        error instanceof PhotoError ? message : `The photo could not be read (${message}): try again.`,
      );
    }
  }
  const take = (files: FileList | undefined): boolean => {
    const file = Array.from(files ?? []).find(({ type }) => type.startsWith("image/")) ?? files?.[0];
    if (file) void bring(() => decodePhoto(file, file.name));
    return file !== undefined;
  };

  choose.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files ?? undefined);
    // The same file may be chosen again.
    input.value = "";
  });
  camera.addEventListener("click", () => void bring(takePicture));
  document.addEventListener("paste", (event) => {
    if (take(event.clipboardData?.files)) event.preventDefault();
  });
  const { body } = document;
  body.addEventListener("dragover", (event) => {
    event.preventDefault();
    body.dataset.drop = "";
  });
  body.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) delete body.dataset.drop;
  });
  body.addEventListener("drop", (event) => {
    event.preventDefault();
    delete body.dataset.drop;
    if (!take(event.dataTransfer?.files)) onProblem("What was dropped is no file: drop a photo.");
  });

  void fetchSamples().then((list) => {
    samples.append(
      ...list.map(({ path, label }) => {
        const picture = h("img", { src: path, alt: "", width: 40, height: 60, loading: "lazy" });
        const button = h("button", { type: "button", "aria-label": label }, picture);
        button.addEventListener("click", () => {
          void bring(async () => decodePhoto(await (await fetch(path)).blob(), `${label}.png`));
        });
        return h("li", {}, button);
      }),
    );
  });
  const own = h("div", {}, input, h("div", { class: "row" }, choose, camera), hint);
  return h("div", { class: "sources" }, own, samples);
}
