import type { Picture, RunState } from "../run-state.ts";
import { h, part, scrollable, setText } from "./dom.ts";

/** Pictures of which one is seen; a slider and buttons lead to the others. */
interface Gallery {
  /** The section's id. */
  readonly id: string;
  readonly title: string;
  /** What they are called for those who do not see them. */
  readonly things: string;
  readonly frame: string;
  /** What a picture shows, after its label. */
  readonly shows: string;
  /** Said while there is none; without it, there is no section then. */
  readonly empty?: string;
  /** Which one is seen until somebody chooses. */
  readonly begins: "first" | "last";
  readonly pictures: (state: RunState) => readonly Picture[];
}

/** What the network says of validation photos, epoch by epoch. */
export const predictions = (): ((state: RunState) => void) =>
  gallery({
    id: "predictions",
    title: "Predictions on validation photos",
    things: "predictions",
    frame: "Predictions, true masks and photos",
    shows: "validation photos, their true masks and the predicted ones",
    empty: "The first predictions come with the end of the first epoch.",
    begins: "last",
    pictures: (state) => state.pictures,
  });

/** The validation photos that were labelled worst and best at the end. */
export const photos = (): ((state: RunState) => void) =>
  gallery({
    id: "photos",
    title: "The worst and the best validation photos",
    things: "photos",
    frame: "Photos, masks and errors",
    shows: "validation photos and what the network said of them at the end",
    begins: "first",
    pictures: (state) => state.photos,
  });

function gallery(options: Gallery): (state: RunState) => void {
  const { id, title, things, begins } = options;
  let pictures: readonly Picture[] = [];
  /** Null is the one it begins with, the newest perhaps. */
  let chosen: string | null = null;
  const initial = (): number => (begins === "last" ? pictures.length - 1 : 0);

  const image = h("img", { alt: "", decoding: "async" });
  const frame = scrollable(options.frame, image);
  const label = h("output", {});
  const slider = h("input", { type: "range", min: 0, step: 1, "aria-label": `Which ${things}` });
  const step = (text: string, name: string, by: number): HTMLButtonElement => {
    const button = h("button", { type: "button", "aria-label": name }, text);
    button.addEventListener("click", () => choose(slider.valueAsNumber + by));
    return button;
  };
  const earlier = step("‹", `Earlier ${things}`, -1);
  const later = step("›", `Later ${things}`, 1);
  const full = h("a", { target: "_blank", rel: "noopener" }, "Full size");
  const tools = h("div", { class: "tools" }, earlier, slider, later, label, full);
  const empty = h("p", { class: "muted" }, options.empty ?? "");
  const card = h("div", { class: "card" }, tools, frame);
  part(id).append(h("h2", { id: `${id}-title` }, title), empty, card);

  slider.addEventListener("input", () => choose(slider.valueAsNumber));

  function choose(index: number): void {
    const clamped = Math.min(pictures.length - 1, Math.max(0, index));
    chosen = clamped === initial() ? null : pictures[clamped].id;
    draw();
  }

  function draw(): void {
    part(id).hidden = pictures.length === 0 && options.empty === undefined;
    empty.hidden = pictures.length > 0;
    card.hidden = pictures.length === 0;
    if (pictures.length === 0) return;
    const found = pictures.findIndex(({ id }) => id === chosen);
    const index = found < 0 ? initial() : found;
    const picture = pictures[index];
    const source = `/pictures/${picture.id}.png`;
    slider.max = String(pictures.length - 1);
    slider.valueAsNumber = index;
    slider.setAttribute("aria-valuetext", picture.label);
    earlier.disabled = index === 0;
    later.disabled = index === pictures.length - 1;
    setText(label, picture.label);
    if (image.getAttribute("src") !== source) {
      image.src = source;
      image.alt = `${picture.label}: ${options.shows}`;
      full.href = source;
    }
  }

  let known: readonly Picture[] | null = null;
  draw();
  return (state) => {
    if (known === options.pictures(state)) return;
    known = pictures = options.pictures(state);
    draw();
  };
}
